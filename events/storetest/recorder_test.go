package storetest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder is a tester that keeps what a behaviour reports to itself.
type recorder struct {
	mu       sync.Mutex
	said     []string
	cleanups []func()
}

// report runs f as a test is run: in a goroutine that FailNow ends, with its
// cleanups after it, last first. It returns what was reported; nothing is a
// pass. A panic is a report too.
func report(f func(t tester)) []string {
	r := &recorder{}
	r.apart(func() { f(r) })
	for len(r.cleanups) > 0 {
		last := len(r.cleanups) - 1
		next := r.cleanups[last]
		r.cleanups = r.cleanups[:last]
		r.apart(next)
	}
	return r.said
}

func (r *recorder) apart(f func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v", p)
			}
		}()
		f()
	}()
	<-ended
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (r *recorder) FailNow() {
	r.mu.Lock()
	if len(r.said) == 0 {
		r.said = append(r.said, "failed")
	}
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

func TestARecorderTellsHowATestWent(t *testing.T) {
	var order []string
	said := report(func(t tester) {
		t.Cleanup(func() { order = append(order, "first") })
		t.Cleanup(func() { order = append(order, "last"); assert.True(t, false, "in a cleanup") })
		assert.True(t, false, "goes on")
		require.True(t, false, "ends here")
		order = append(order, "never")
	})
	require.Len(t, said, 3)
	for i, want := range []string{"goes on", "ends here", "in a cleanup"} {
		assert.Contains(t, said[i], want)
	}
	assert.Equal(t, []string{"last", "first"}, order)
	assert.Equal(t, []string{"panic: oh"}, report(func(tester) { panic("oh") }))
	assert.Equal(t, []string{"failed"}, report(func(t tester) { t.FailNow() }))
	assert.Empty(t, report(func(t tester) { require.True(t, true) }))
}
