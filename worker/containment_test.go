//go:build unix

package worker_test

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// TestWhatMisbehavesIsContained runs on a worker of one slot. After each task
// the slot has to be free, and no process, file or directory left.
func TestWhatMisbehavesIsContained(t *testing.T) {
	path, read := pids(t)
	const brief = 300 * time.Millisecond
	for name, test := range map[string]struct {
		run     func(*task.Work)
		timeout time.Duration
		started int // processes that say who they are
		verdict task.Verdict
		says    string
	}{
		"a handler that sleeps for ever": {
			timeout: brief, run: func(*task.Work) {}, verdict: task.TimedOut, says: "ran longer than its timeout of 300ms",
		},
		"a program that sleeps for ever": {
			timeout: brief, started: 1, run: shell(`echo $$ >> ` + path + `; exec sleep 1000`),
			verdict: task.TimedOut, says: "ran longer than its timeout of 300ms",
		},
		"a program that ignores SIGTERM": {
			timeout: brief, started: 1, run: shell(`trap '' TERM; echo $$ >> ` + path + `; while :; do sleep 0.01; done`),
			verdict: task.TimedOut, says: "ran longer than its timeout of 300ms",
		},
		"a program whose grandchildren ignore SIGTERM, after it has ended": {
			started: 2, run: shell(`for i in 1 2; do (sh -c 'trap "" TERM; echo $$ >> ` + path + `; while :; do sleep 0.01; done' &); done
				while [ "$(wc -l < ` + path + `)" -lt 2 ]; do sleep 0.01; done; exit 3`),
			verdict: task.Retry, says: "script: exit code 3",
		},
		"a program whose grandchildren outlive its timeout": {
			timeout: brief, started: 3, run: shell(`echo $$ >> ` + path + `; for i in 1 2; do (sh -c 'trap "" TERM; echo $$ >> ` + path + `; while :; do sleep 0.01; done' &); done; wait; sleep 1000`),
			verdict: task.TimedOut, says: "ran longer than its timeout of 300ms",
		},
		"a program that fills its memory": {
			run:     shell(`ulimit -v 100000; x=0123456789; while :; do x=$x$x; done`),
			verdict: task.Retry, says: "script: e",
		},
		"a program that fills the disk that it is given": {
			run:     shell(`ulimit -f 100; head -c 10000000 /dev/zero > "$TMPDIR/much"`),
			verdict: task.Retry, says: "script: e",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.handle("h", func(ctx context.Context, t *worker.Task) error { <-ctx.Done(); return ctx.Err() })
			w.handle("next", nothing)
			dir := t.TempDir()
			r := w.run(func(o *worker.Options) { o.Slots, o.TempDir, o.ProgramGrace = 1, dir, 100*time.Millisecond })
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			f := w.failure(job(task.Of(0), test.run, timeout(test.timeout)))
			assert.Equal(t, test.verdict, f.Verdict)
			assert.Contains(t, f.Error, test.says)
			if test.started > 0 {
				started := read(test.started)
				require.Len(t, started, test.started)
				dead(t, started)
			}
			assert.Equal(t, task.Done, w.result(job(task.Of(1), func(w *task.Work) { w.Run.Handler = "next" })).Outcome)
			assert.Zero(t, r.Abandoned())
			w.cleaned(r, dir)
		})
	}
}

func TestAGigabyteOnStandardErrorNeedsNoMemoryAndLeavesABoundedLog(t *testing.T) {
	size := "1000000000"
	if raced {
		size = "100000000"
	}
	w := newWorld(t)
	dir := t.TempDir()
	r := w.run(func(o *worker.Options) { o.TempDir = dir })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun := time.Now()
	f := w.failure(job(task.Of(0), shell(`echo first; yes 0123456789 | head -c `+size+` >&2; echo >&2; echo the last words >&2; exit 3`)))
	took := time.Since(begun)
	runtime.ReadMemStats(&after)
	t.Logf("%v, %d MiB allocated", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20)
	assert.Contains(t, f.Error, "script: exit code 3; the last lines of its standard error: ")
	assert.Contains(t, f.Error, "the last words")
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20), "bytes allocated in all, garbage included")
	assert.Less(t, took, 30*time.Second)
	assert.Less(t, len(w.log.String()), 1<<20)

	logs, err := w.blobs.Logs(w.ctx, "p", "step")
	require.NoError(t, err)
	require.Len(t, logs, 1)
	assert.Less(t, logs[0].Bytes, int64(1<<20+128<<10))
	lines := w.printed()
	assert.Contains(t, lines, "out first")
	assert.Contains(t, strings.Join(lines, "\n"), " bytes were left out here: of a log the first 1024 KiB and the last 64 KiB are kept")
	assert.Equal(t, "err the last words", lines[len(lines)-1])
	w.cleaned(r, dir)
}

func TestACancelReachesAProgramWithItsChildrenWithinASecond(t *testing.T) {
	for name, signal := range map[string]string{
		"of the process": `{"process":"p"}`, "of an older generation": `{"process":"p","before":{"step":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			dir := t.TempDir()
			r := w.run(func(o *worker.Options) { o.TempDir = dir })
			path, read := pids(t)
			w.send(job(task.Of(0), shell(`(sleep 1000 & echo $! >> `+path+`; wait) & echo $$ >> `+path+`; wait`)))
			started := read(2)
			begun := time.Now()
			require.NoError(t, w.signals.Publish(w.ctx, "cancel", []byte(signal)))
			dead(t, started)
			require.Less(t, time.Since(begun), time.Second)
			require.Eventually(t, func() bool { n, err := w.work.Pending(w.ctx, "p"); return err == nil && n == 0 }, 10*time.Second, time.Millisecond)
			w.cleaned(r, dir)
			n, err := w.inbox.Pending(w.ctx, "p")
			require.NoError(t, err)
			require.Zero(t, n, "nothing of it is reported")
		})
	}
}
