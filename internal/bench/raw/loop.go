package raw

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	workers = 4

	// window is how many tasks are under way unacknowledged between the
	// publisher and the server.
	window = 4096

	// taskBatch and resultBatch are how many messages are asked for at once.
	taskBatch, resultBatch = 512, 256
)

// Loop runs steps of width tasks, each begun when all results of the one before
// are in stored events; one step is the open loop, where nothing waits. It
// returns the times from the last task of a step to the first of the next.
func (r *Rig) Loop(ctx context.Context, steps, width int) ([]time.Duration, error) {
	if steps < 1 || width < 1 || steps > math.MaxInt32/width {
		return nil, fmt.Errorf("raw loop: %d steps of %d tasks: at least one of each, and not beyond two billion", steps, width)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	before := len(r.conns)
	defer func() { // with them go the requests that still wait for tasks
		running.Wait()
		for _, nc := range r.conns[before:] {
			nc.Close()
		}
	}()
	defer cancel(errDone)
	l := &loop{width: width, spans: make([]span, steps)}
	for range workers {
		w, err := r.worker(l)
		if err != nil {
			return nil, fmt.Errorf("raw loop: %w", err)
		}
		running.Go(func() {
			if err := w.run(ctx); err != nil {
				cancel(fmt.Errorf("raw loop: worker: %w", err))
			}
		})
	}
	c, err := r.collector(steps * width)
	if err != nil {
		return nil, fmt.Errorf("raw loop: %w", err)
	}
	for step := range steps {
		if err := c.step(ctx, step*width, width); err != nil {
			return nil, fmt.Errorf("raw loop: step %d: %w", step, err)
		}
	}
	if err := c.tasks.settle(ctx, 0); err != nil {
		return nil, fmt.Errorf("raw loop: %w", err)
	}
	return l.hops(), nil
}

// errDone ends the workers.
var errDone = errors.New("the loop is done")

// loop is what the goroutines of a Loop share.
type loop struct {
	width int
	mu    sync.Mutex
	spans []span // of the steps
}

// span is when a step's first task began and its last one ended.
type span struct{ first, last time.Time }

// worked notes that tasks were executed, all in one go.
func (l *loop) worked(batch []*nats.Msg, began, ended time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range batch {
		s := &l.spans[indexOf(m.Data)/l.width]
		if s.first.IsZero() || began.Before(s.first) {
			s.first = began
		}
		if ended.After(s.last) {
			s.last = ended
		}
	}
}

func (l *loop) hops() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	hops := make([]time.Duration, 0, len(l.spans))
	for i := 1; i < len(l.spans); i++ {
		hops = append(hops, l.spans[i].first.Sub(l.spans[i-1].last))
	}
	return hops
}

// indexOf is the number of a task, which its message begins with.
func indexOf(task []byte) int { return int(binary.LittleEndian.Uint32(task)) }

// worker executes tasks.
type worker struct {
	loop    *loop
	in      *intake
	out     *outlet
	results []byte
}

func (r *Rig) worker(l *loop) (*worker, error) {
	nc, err := r.connect()
	if err != nil {
		return nil, err
	}
	in, err := newIntake(nc, tasks, taskBatch)
	if err != nil {
		return nil, err
	}
	out, err := newOutlet(nc, results, 1)
	return &worker{loop: l, in: in, out: out}, err
}

func (w *worker) run(ctx context.Context) error {
	for {
		batch, err := w.in.gather(ctx)
		if err == nil {
			err = w.work(ctx, batch)
		}
		switch {
		case errors.Is(err, errDone):
			return nil
		case err != nil:
			return err
		}
	}
}

// work executes a batch: there is nothing to do. Its tasks are acknowledged when
// their result is stored.
func (w *worker) work(ctx context.Context, batch []*nats.Msg) error {
	began := time.Now()
	w.results = w.results[:0]
	for _, m := range batch {
		if len(m.Data) != taskSize {
			return fmt.Errorf("a task of %d bytes, not %d", len(m.Data), taskSize)
		}
		w.results = append(w.results, m.Data[:4]...)
	}
	w.loop.worked(batch, began, time.Now())
	if err := w.out.send(ctx, w.results); err != nil {
		return err
	}
	if err := w.out.settle(ctx, 0); err != nil {
		return err
	}
	return w.in.ack(batch)
}

// collector publishes the tasks and folds their results into events.
type collector struct {
	tasks  *outlet
	in     *intake
	out    *outlet
	last   uint64 // sequence of the last event
	done   []bool // by task
	folded int
	task   []byte
	event  nats.Msg
}

func (r *Rig) collector(n int) (*collector, error) {
	sends, err := r.connect()
	if err != nil {
		return nil, err
	}
	folds, err := r.connect()
	if err != nil {
		return nil, err
	}
	c := &collector{done: make([]bool, n), task: make([]byte, taskSize), event: nats.Msg{Subject: events, Header: nats.Header{}}}
	if c.tasks, err = newOutlet(sends, tasks, window); err != nil {
		return nil, err
	}
	if c.in, err = newIntake(folds, results, resultBatch); err != nil {
		return nil, err
	}
	if c.out, err = newOutlet(folds, events, 1); err != nil {
		return nil, err
	}
	c.event.Reply = c.out.reply
	return c, nil
}

// step publishes tasks and collects them. Beside each other only if there are
// more than fit into the window: else publishing does not wait for anything, and
// to hand it to another goroutine would take longer.
func (c *collector) step(ctx context.Context, first, n int) error {
	if n <= window {
		if err := c.publish(ctx, first, n); err != nil {
			return err
		}
		return c.collect(ctx, first+n)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var publishing sync.WaitGroup
	defer publishing.Wait()
	publishing.Go(func() {
		if err := c.publish(ctx, first, n); err != nil {
			cancel(err)
		}
	})
	return c.collect(ctx, first+n)
}

// publish sends the tasks from first on.
func (c *collector) publish(ctx context.Context, first, n int) error {
	for i := first; i < first+n; i++ {
		binary.LittleEndian.PutUint32(c.task, uint32(i))
		if err := c.tasks.send(ctx, c.task); err != nil {
			return err
		}
	}
	return nil
}

// collect folds results until so many tasks are done, all of them once.
func (c *collector) collect(ctx context.Context, until int) error {
	for c.folded < until {
		batch, err := c.in.gather(ctx)
		if err != nil {
			return err
		}
		c.event.Data = c.event.Data[:0]
		for _, m := range batch {
			if err := c.fold(m.Data); err != nil {
				return err
			}
			c.event.Data = append(c.event.Data, m.Data...)
		}
		if err := c.append(ctx); err != nil {
			return err
		}
		if err := c.in.ack(batch); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) fold(result []byte) error {
	for ; len(result) >= 4; result = result[4:] {
		i := indexOf(result)
		if i >= len(c.done) || c.done[i] {
			return fmt.Errorf("a second result of task %d, or of none of %d", i, len(c.done))
		}
		c.done[i] = true
		c.folded++
	}
	return nil
}

// append stores the event behind the last one, or not at all.
func (c *collector) append(ctx context.Context) error {
	c.event.Header["Nats-Expected-Last-Subject-Sequence"] = []string{strconv.FormatUint(c.last, 10)}
	c.out.underWay++
	if err := c.out.nc.PublishMsg(&c.event); err != nil {
		return err
	}
	answer, err := c.out.answer(ctx)
	if err != nil {
		return err
	}
	c.last, err = sequenceOf(answer)
	return err
}
