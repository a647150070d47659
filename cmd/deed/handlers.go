package main

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/deedrun/deed/examples/albums/pictures"
	forecast "github.com/deedrun/deed/examples/forecast/steps"
	"github.com/deedrun/deed/examples/logs/visits"
	"github.com/deedrun/deed/examples/wordcount/words"
	"github.com/deedrun/deed/worker"
)

// builtIn registers the handlers of this binary: those of the examples. A
// worker of one's own offers others; programs need none.
var builtIn = []func(*worker.Registry){words.Register, forecast.Register, visits.Register, pictures.Register}

func handlers() *worker.Registry {
	reg := worker.NewRegistry()
	for _, register := range builtIn {
		register(reg)
	}
	return reg
}

// failpoint reads DEED_FAILPOINT=NAME:N: at the N-th time that this process
// comes by NAME it kills itself, as a power cut would. For tests of crashes.
func failpoint() func(name string) {
	name, times, ok := strings.Cut(os.Getenv("DEED_FAILPOINT"), ":")
	left, err := strconv.Atoi(times)
	if !ok || err != nil {
		return nil
	}
	var mu sync.Mutex
	return func(at string) {
		mu.Lock()
		defer mu.Unlock()
		if at != name {
			return
		}
		if left--; left == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it has happened
		}
	}
}
