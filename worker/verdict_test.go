package worker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestAnErrorSaysWhetherAndWhenToTryAgain(t *testing.T) {
	busy := errors.New("busy")
	for name, test := range map[string]struct {
		err  error
		want task.Failure
	}{
		"a plain error":                   {busy, task.Failure{Error: "busy", Verdict: task.Retry}},
		"a permanent one":                 {fmt.Errorf("row 3: %w", worker.Permanent(busy)), task.Failure{Error: "row 3: busy", Verdict: task.Permanent}},
		"in a minute":                     {worker.RetryAfter(time.Minute, busy), task.Failure{Error: "busy", Verdict: task.Retry, After: task.Duration(time.Minute)}},
		"in a minute, wrapped":            {fmt.Errorf("call: %w", worker.RetryAfter(time.Minute, busy)), task.Failure{Error: "call: busy", Verdict: task.Retry, After: task.Duration(time.Minute)}},
		"in a year is in a day":           {worker.RetryAfter(365*24*time.Hour, busy), task.Failure{Error: "busy", Verdict: task.Retry, After: task.Duration(24 * time.Hour)}},
		"at once":                         {worker.RetryAfter(0, busy), task.Failure{Error: "busy", Verdict: task.Retry}},
		"in the past":                     {worker.RetryAfter(-time.Minute, busy), task.Failure{Error: "busy", Verdict: task.Retry}},
		"permanent weighs more":           {worker.RetryAfter(time.Minute, worker.Permanent(busy)), task.Failure{Error: "busy", Verdict: task.Permanent}},
		"permanent weighs more, whatever": {worker.Permanent(worker.RetryAfter(time.Minute, busy)), task.Failure{Error: "busy", Verdict: task.Permanent}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.handle("h", func(context.Context, *worker.Task) error { return test.err })
			w.run()
			require.Equal(t, test.want, w.failure(job(task.Of(0))))
		})
	}
	require.NoError(t, worker.RetryAfter(time.Minute, nil))
}
