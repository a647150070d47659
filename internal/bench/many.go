package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker"
)

// ManyParams are those of Many.
type ManyParams struct {
	N       int  `json:"n"`       // processes
	Deep    bool `json:"deep"`    // the tasks of each one after the other
	Workers int  `json:"workers"` // tasks at a time; 0: one a core
}

// manyTasks is how many tasks each process has.
const manyTasks = 3

// submitters is how many processes are being submitted at a time. Each waits for
// its answer, which comes when the process is stored; more at a time would wait
// longer than a client does before it asks again, and ask again.
const submitters = 256

// Many is many small processes at once. The raw loop has as many tasks, of one
// process; if they are deep, in as many steps.
func Many() Scenario {
	return Scenario{
		Name:     "many",
		Settings: durability(),
		Subjects: []Subject{by("raw", rawMany), by("deed", deedMany)},
	}
}

func rawMany(ctx context.Context, dir string, p ManyParams) (Measure, error) {
	steps, width := 1, p.N*manyTasks
	if p.Deep {
		steps, width = manyTasks, p.N
	}
	m, _, err := rawLoop(ctx, dir, steps, width, 0)
	return m, err
}

const (
	manyWide = `{deed: v1, name: many, inputs: [in], steps: {work: {run: bench/noop, each: in}}}`
	manyDeep = `{deed: v1, name: many, steps: {first: {run: bench/noop}, second: {run: bench/noop, after: [first]}, third: {run: bench/noop, after: [second]}}}`
)

// manyRun is the processes of one measure.
type manyRun struct {
	r        *deed.Runtime
	n        int
	executed *tally
	base     time.Time
	began    []atomic.Int64  // when each was submitted, after base
	took     []time.Duration // from then to its end
	memory   *memoryCourse
}

func deedMany(ctx context.Context, dir string, p ManyParams) (Measure, error) {
	run := &manyRun{n: p.N, executed: newTally(p.N * manyTasks), base: time.Now(), began: make([]atomic.Int64, p.N)}
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "bench/noop", func(_ context.Context, t *worker.Task) error {
		run.executed.note(manyTasks*manyNumber(t.Process()) + manyPlace(t))
		return nil
	})
	job := deed.Job{Source: deed.MustParse(manyWide), Inputs: map[string]deed.Input{"in": numbers(manyTasks)}}
	if p.Deep {
		job = deed.Job{Source: deed.MustParse(manyDeep)}
	}
	folder := filepath.Join(dir, "deed")
	r, err := deed.Open(ctx, deed.Options{Dir: folder, Handlers: handlers, Workers: p.Workers, Log: warnings()})
	if err != nil {
		return Measure{}, err
	}
	defer r.Close()
	run.r = r
	m, err := run.measure(ctx, job)
	if err != nil {
		return m, err
	}
	if err := run.executed.check(); err != nil {
		return m, err
	}
	r.Close()
	stored, err := size(folder)
	m.Also["process_disk_bytes"] = float64(stored) / float64(p.N)
	return m, err
}

// measure is from the first submission to the last end.
func (run *manyRun) measure(ctx context.Context, job deed.Job) (Measure, error) {
	run.memory = newMemoryCourse(run.n)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan error, 1)
	clock := startClock()
	go func() {
		err := run.await(ctx)
		cancel(err) // who submits need not go on
		ended <- err
	}()
	if err := run.submit(ctx, job); err != nil {
		cancel(err)
		return Measure{}, errors.Join(context.Cause(ctx), <-ended)
	}
	if err := <-ended; err != nil {
		return Measure{}, err
	}
	m := clock.stop(int64(run.n * manyTasks))
	m.Invoked = run.executed.calls.Load()
	m.latencies(run.took)
	m.Also = map[string]float64{"processes_per_s": float64(run.n) / m.Seconds}
	m.Course = run.memory.course()
	return m, nil
}

// submit starts all processes.
func (run *manyRun) submit(ctx context.Context, job deed.Job) error {
	start, err := run.r.Prepare(ctx, "", job, nil)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(submitters)
	for i := range run.n {
		group.Go(func() error {
			of := start
			of.ID = manyID(i)
			run.began[i].Store(int64(time.Since(run.base)))
			_, err := run.r.Start(ctx, of)
			return err
		})
	}
	return group.Wait()
}

// await returns when all have ended, as the stored events say.
func (run *manyRun) await(ctx context.Context) error {
	feed, err := run.r.Events.Subscribe(ctx, "process-", 0)
	if err != nil {
		return err
	}
	defer feed.Stop()
	for len(run.took) < run.n {
		commit, _, err := feed.Next(ctx, true)
		if err != nil {
			return err
		}
		switch last := commit.Events[len(commit.Events)-1]; last.Type {
		case "process-failed", "process-cancelled":
			return fmt.Errorf("%s did not complete: %s: %s", commit.Stream, last.Type, last.Data)
		case "process-completed":
			number := manyNumber(strings.TrimPrefix(commit.Stream, "process-"))
			run.took = append(run.took, time.Since(run.base)-time.Duration(run.began[number].Load()))
			run.memory.note(len(run.took))
		}
	}
	return nil
}

func manyID(number int) string { return "many-" + strconv.Itoa(number) }

func manyNumber(id string) int {
	number, _ := strconv.Atoi(strings.TrimPrefix(id, "many-"))
	return number
}

// manyPlace is which of the three tasks of its process a task is.
func manyPlace(t *worker.Task) int {
	switch t.Address() {
	case "second":
		return 1
	case "third":
		return 2
	}
	return t.Index()
}
