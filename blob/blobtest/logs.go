package blobtest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/require"
)

func logs(t *testing.T, b Backend) {
	t.Run("a log is read as it was written, as far as it is stored", func(t *testing.T) {
		name := logName("p", "clean/dedupe", 0, 3, 1, "n1")
		w := b.log(t, name)
		r := b.Store.OpenLog(name)
		require.Empty(t, b.lines(t, r))
		w.Write(blob.LogOut, []byte("one\ntw"))
		w.Write(blob.LogErr, []byte("bad\n"))
		w.Write(blob.LogOut, []byte("o\nthree"))
		require.Empty(t, b.lines(t, r))
		require.NoError(t, w.Close(t.Context()))
		require.Equal(t, []string{"12:00:00 out one", "12:00:00 err bad", "12:00:00 out two", "12:00:00 out three"}, b.lines(t, r))
		require.Empty(t, b.lines(t, r), "everything once")
		w.Write(blob.LogOut, []byte("late\n"))
		require.NoError(t, w.Close(t.Context()))
		require.Empty(t, b.lines(t, r))
	})
	t.Run("an execution that prints nothing stores nothing", func(t *testing.T) {
		w := b.log(t, logName("quiet", "step", 0, 0, 1, "n"))
		w.Write(blob.LogOut, nil)
		require.NoError(t, w.Close(t.Context()))
		found, err := b.Store.Logs(t.Context(), "quiet", "")
		require.NoError(t, err)
		require.Empty(t, found)
	})
	t.Run("the logs of a process, a step and a task are found in order, and only those", func(t *testing.T) {
		for _, name := range []blob.LogName{
			logName("many", "step", 0, 10, 1, "b"), logName("many", "step", 0, 2, 10, "a"), logName("many", "step", 0, 2, 9, "z"),
			logName("many", "step", 10, 2, 1, "a"), logName("many", "step", 2, 2, 1, "a"), logName("many", "steps", 0, 2, 1, "a"),
			logName("many", "a/0/1/1-x", 0, 0, 1, "a"), logName("many-2", "step", 0, 2, 1, "a"), logName("many", "step", 0, 20, 1, "a"),
		} {
			w := b.log(t, name)
			w.Write(blob.LogTask, []byte("hello\n"))
			require.NoError(t, w.Close(t.Context()))
		}
		b.put(t, "logs/many/step/0/2/9-z/0", "data of a process that is named logs")
		b.put(t, "logs/many/step/0/2/9-z/1.log", "no chunk of ours")
		names := func(found []blob.Log, err error) (all []string) {
			require.NoError(t, err)
			for _, l := range found {
				require.Equal(t, 1, l.Chunks)
				require.NotZero(t, l.Bytes)
				require.WithinDuration(t, time.Now(), l.Changed, time.Hour)
				all = append(all, l.Task()+" "+fmt.Sprint(l.Attempt.Attempt, l.Nonce))
			}
			return all
		}
		task2 := []string{"many/step[2] 9z", "many/step[2] 10a", "many/step~2[2] 1a", "many/step~10[2] 1a"}
		step := []string{"many/step[2] 9z", "many/step[2] 10a", "many/step[10] 1b", "many/step[20] 1a", "many/step~2[2] 1a", "many/step~10[2] 1a"}
		all := append(append([]string{"many/a/0/1/1-x[0] 1a"}, step...), "many/steps[2] 1a")
		require.Equal(t, task2, names(b.Store.TaskLogs(t.Context(), "many", "step", 2)))
		require.Equal(t, step, names(b.Store.Logs(t.Context(), "many", "step")))
		require.Equal(t, all, names(b.Store.Logs(t.Context(), "many", "")))
		require.Empty(t, names(b.Store.Logs(t.Context(), "none", "")))
		require.Empty(t, names(b.Store.TaskLogs(t.Context(), "many", "step", 7)))
	})
	t.Run("what is torn, altered or gone is said in its place, and the rest is read", func(t *testing.T) {
		name := logName("damaged", "step", 0, 0, 1, "n")
		w := b.log(t, name)
		for i := range 6 * 64 { // six chunks of 64 KiB
			w.Write(blob.LogOut, fmt.Appendf(nil, "%03d %s\n", i, bytes.Repeat([]byte("x"), 1000)))
		}
		require.NoError(t, w.Close(t.Context()))
		whole := b.lines(t, b.Store.OpenLog(name))
		require.Len(t, whole, 6*64)
		key := func(n int) string { return fmt.Sprintf("logs/damaged/step/0/0/1-n/%06d.log", n) }
		require.NoError(t, b.Raw.Delete(t.Context(), key(1)))
		require.NoError(t, b.Raw.Delete(t.Context(), key(2)))
		b.overwrite(t, key(3), nil)
		b.alter(t, key(4), 100)
		got := b.lines(t, b.Store.OpenLog(name))
		require.Contains(t, got, "12:00:00 gap chunks 1 to 2 of this log are gone")
		require.Contains(t, got, "12:00:00 gap chunk 3 of this log is torn or was altered: lines around here are missing or wrong")
		require.Contains(t, got, "12:00:00 gap chunk 4 of this log is torn or was altered: lines around here are missing or wrong")
		require.Equal(t, whole[0], got[0])
		require.Equal(t, whole[len(whole)-1], got[len(got)-1])
		data, err := b.Raw.ReadAll(t.Context(), key(0))
		require.NoError(t, err)
		lines := bytes.SplitAfter(data, []byte("\n"))
		b.overwrite(t, key(0), bytes.Join(lines[:3], nil))
		got = b.lines(t, b.Store.OpenLog(name))
		require.Equal(t, whole[:3], got[:3])
		require.Equal(t, "12:00:00 gap chunk 0 of this log is torn or was altered: lines around here are missing or wrong", got[3])
	})
	t.Run("a chunk is written once: who comes second is told", func(t *testing.T) {
		name := logName("twice", "step", 0, 0, 1, "n")
		for i := range 2 {
			w := b.log(t, name)
			w.Write(blob.LogOut, fmt.Append(nil, i))
			if err := w.Close(t.Context()); i == 1 {
				require.ErrorIs(t, err, blob.ErrExists)
				require.ErrorContains(t, err, "store the log of twice/step[0] attempt 1")
			}
		}
		require.Equal(t, []string{"12:00:00 out 0"}, b.lines(t, b.Store.OpenLog(name)))
	})
	t.Run("what a cancelled execution printed is stored", func(t *testing.T) {
		name := logName("cancelled", "step", 0, 0, 1, "n")
		ctx, cancel := context.WithCancel(t.Context())
		w := b.Store.CreateLog(ctx, name, blob.LogOptions{})
		cancel()
		w.Write(blob.LogOut, bytes.Repeat([]byte("x\n"), 100_000))
		require.NoError(t, w.Close(t.Context()))
		require.NotEmpty(t, b.lines(t, b.Store.OpenLog(name)))
	})
}

func logName(process, address string, generation, index, attempt int, nonce string) blob.LogName {
	return blob.LogName{Nonce: nonce, Attempt: task.Attempt{
		Process: process, Address: address, Generation: generation, Index: index, Attempt: attempt,
	}}
}

// log is a writer whose clock stands at noon.
func (b Backend) log(t *testing.T, name blob.LogName) *blob.LogWriter {
	return b.Store.CreateLog(t.Context(), name, blob.LogOptions{
		Now: func() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) },
	})
}

// lines are what a reader finds now.
func (b Backend) lines(t *testing.T, r *blob.LogReader) []string {
	t.Helper()
	var all []string
	for l, err := range r.Lines(t.Context()) {
		require.NoError(t, err)
		all = append(all, fmt.Sprintf("%s %s %s", l.Time.Format(time.TimeOnly), l.Stream, l.Text))
	}
	return all
}
