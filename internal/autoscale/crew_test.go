package autoscale

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// crew is the processes of a supervisor under test, and what it sees of them.
type crew struct {
	t      *testing.T
	cancel context.CancelFunc

	mu       sync.Mutex
	all      []*fake
	told     []Decision
	look     Look
	lookErr  error
	stalled  bool // no look returns
	startErr error
	dying    bool          // who is started now ends at once
	leaves   time.Duration // after it was asked to
	over     bool
}

// fake is a process.
type fake struct {
	crew    *crew
	id      int
	drained int
	killed  bool
	dead    bool
	end     chan error
}

func (f *fake) ID() int { return f.id }

func (f *fake) Drain() error {
	f.crew.mu.Lock()
	defer f.crew.mu.Unlock()
	f.drained++
	time.AfterFunc(f.crew.leaves, func() { f.die(nil) })
	return nil
}

func (f *fake) Kill() error {
	f.crew.mu.Lock()
	f.killed = true
	f.crew.mu.Unlock()
	f.die(errors.New("signal: killed"))
	return nil
}

func (f *fake) Wait() error { return <-f.end }

func (f *fake) die(how error) {
	f.crew.mu.Lock()
	defer f.crew.mu.Unlock()
	if !f.dead {
		f.dead = true
		f.end <- how
	}
}

// running is a supervisor at work, in a synctest bubble.
func running(t *testing.T, l Limits) *crew {
	t.Helper()
	c := &crew{t: t, leaves: time.Second}
	s, err := NewSupervisor(Options{
		Limits: l, Every: 2 * time.Second, DrainFor: 30 * time.Second,
		Look: func(ctx context.Context) (Look, error) {
			c.mu.Lock()
			stalled := c.stalled
			c.mu.Unlock()
			if stalled {
				<-ctx.Done()
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.look, c.lookErr
		},
		Start: c.start,
		Tell: func(d Decision) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.told = append(c.told, d)
		},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	c.cancel = cancel
	go func() {
		s.Run(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.over = true
	}()
	t.Cleanup(func() {
		cancel()
		time.Sleep(time.Minute) // of the bubble's clock: for those that do not leave
		synctest.Wait()
		require.True(t, c.ended())
	})
	synctest.Wait()
	return c
}

func (c *crew) start() (Process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.startErr != nil {
		return nil, c.startErr
	}
	f := &fake{crew: c, id: 100 + len(c.all), end: make(chan error, 1)}
	c.all = append(c.all, f)
	if c.dying {
		f.dead = true
		f.end <- errors.New("exit status 2")
	}
	return f, nil
}

// after lets time pass.
func (c *crew) after(d time.Duration) {
	c.t.Helper()
	time.Sleep(d) // of the bubble's clock
	synctest.Wait()
}

func (c *crew) see(l Look, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look, c.lookErr = l, err
}

// alive are the processes that have not ended and have not been asked to.
func (c *crew) alive() (ids []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.all {
		if !f.dead && f.drained == 0 {
			ids = append(ids, f.id)
		}
	}
	return ids
}

func (c *crew) process(id int) *fake {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[id-100]
}

func (c *crew) drained(id int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[id-100].drained
}

func (c *crew) killed(id int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[id-100].killed
}

func (c *crew) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}

func (c *crew) started() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all)
}

// kinds is what was told.
func (c *crew) kinds() (kinds []Kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.told {
		kinds = append(kinds, d.Kind)
	}
	return kinds
}

func (c *crew) lastTold() Decision {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told[len(c.told)-1]
}
