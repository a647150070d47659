package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/autoscale"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
)

// lookFor is how long figures are waited for.
const lookFor = 3 * time.Second

// poolWatch is what autoscale knows of a pool, through a runtime that it opens
// anew when it is lost: the server of a folder may be another a moment later. All
// but what its lock guards is for the goroutine that looks.
type poolWatch struct {
	options deed.Options
	pool    string
	host    string
	runtime *deed.Runtime // nil: none is open
	batch   []decided     // decisions that are being stored
	commit  string        // under which

	mu     sync.Mutex
	mine   map[int]bool // the numbers of all workers that were ever started here
	unkept []decided    // decisions that are not stored yet
}

func newPoolWatch(o deed.Options, pool string) *poolWatch {
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	host, _, _ = strings.Cut(host, ".")
	return &poolWatch{options: o, pool: pool, host: host, mine: map[int]bool{}}
}

func (w *poolWatch) close() {
	if w.runtime != nil {
		w.runtime.Close()
		w.runtime = nil
	}
}

// starting starts workers, and remembers them.
func (w *poolWatch) starting(c autoscale.Command) func() (autoscale.Process, error) {
	return func() (autoscale.Process, error) {
		p, err := c.Start()
		if err == nil {
			w.mu.Lock()
			w.mine[p.ID()] = true
			w.mu.Unlock()
		}
		return p, err
	}
}

// look is what is to be seen of the pool. On the way it stores what was decided.
func (w *poolWatch) look(ctx context.Context) (autoscale.Look, error) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	if err := w.open(ctx); err != nil {
		return autoscale.Look{}, err
	}
	v, err := w.runtime.Look(ctx, "")
	if err == nil {
		err = whole(v)
	}
	if err != nil {
		w.close()
		return autoscale.Look{}, err
	}
	w.keep(ctx)
	return w.read(v), nil
}

func (w *poolWatch) open(ctx context.Context) error {
	if w.runtime != nil {
		return nil
	}
	r, err := deed.Open(ctx, w.options)
	if err == nil {
		w.runtime = r
	}
	return err
}

// whole refuses a view of some shards only: what it does not show may be most of
// the work.
func whole(v orchestrator.View) error {
	if v.Shards != queue.AllShards {
		return fmt.Errorf("only %d of %d shards have an orchestrator that answers", v.Shards.Len(), queue.ShardCount)
	}
	return nil
}

// read is what a view says of the pool. Workers that were started here are known
// by their names, which have the number of the process. The slots of one that
// leaves are not free: it takes nothing more, however long it stays.
func (w *poolWatch) read(v orchestrator.View) autoscale.Look {
	look := autoscale.Look{Holding: map[int]int{}}
	for _, p := range v.Pools {
		if p.Pool == w.pool {
			look.Waiting, look.Out, look.Took, look.Backlog = p.Waiting, p.Out, p.Took, p.Backlog
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, worker := range v.Workers {
		pid, here := processOf(worker.Worker, w.host)
		switch {
		case here && w.mine[pid]:
			look.Holding[pid] = worker.Holding
			if !worker.Draining {
				look.Slots += worker.Slots
			}
		case worker.Pool == w.pool && !worker.Draining:
			look.Slots += worker.Slots
			look.Others += worker.Slots
		}
	}
	return look
}

// processOf is the number of the process of a worker on a host: its name is
// host-process-nonce.
func processOf(worker, host string) (pid int, ok bool) {
	rest, ok := strings.CutPrefix(worker, host+"-")
	if !ok {
		return 0, false
	}
	number, _, ok := strings.Cut(rest, "-")
	pid, err := strconv.Atoi(number)
	return pid, ok && err == nil
}

// inTurn lets several write to one place, one at a time.
type inTurn struct {
	mu sync.Mutex
	to io.Writer
}

func (t *inTurn) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.to.Write(p)
}
