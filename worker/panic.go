package worker

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// panicError is a handler that panicked, or ended its goroutine.
type panicError struct {
	what  string
	stack string
}

func (e *panicError) Error() string { return e.what }

// report is the text with the handler's own frames.
func (e *panicError) report() string { return e.what + "\n" + e.stack }

// maxStack bounds the stack of a panic in memory and in the log.
const maxStack = 16 << 10

// protect calls the handler and turns what ends it otherwise into an error. It
// has to be the first call of its goroutine, and done runs even if the handler
// ends that goroutine.
func protect(call func() error, done func(error)) {
	var err error
	returned := false
	defer func() {
		switch v := recover(); {
		case v != nil:
			err = &panicError{what: fmt.Sprintf("panic: %v", v), stack: handlerFrames(debug.Stack())}
		case !returned:
			err = &panicError{what: "the handler ended its goroutine with runtime.Goexit: return an error instead"}
		}
		done(err)
	}()
	err = call()
	returned = true
}

// handlerFrames cuts a stack to what lies between the panic and this package.
func handlerFrames(stack []byte) string {
	s := string(stack[:min(len(stack), maxStack)])
	if i := strings.LastIndex(s, "\npanic("); i >= 0 {
		s = s[i+1:]
		for range 2 { // the call of panic and its line
			_, s, _ = strings.Cut(s, "\n")
		}
	}
	if i := strings.Index(s, "github.com/deedrun/deed/worker.protect("); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}
