package process

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

// million is a running process of one step with a million tasks, all scheduled.
func million(b *testing.B) State {
	b.Helper()
	return decideAll(b, State{}, StartProcess{
		ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": manifestOf(1_000_000)}, At: start,
	})
}

// scattered yields the indexes of a million tasks in reports of size, as four
// workers that take turns would confirm them.
func scattered(size int) []task.Ranges {
	var reports []task.Ranges
	for first := 0; first < 1_000_000; first += 4 * size {
		for w := range 4 {
			var indexes []int
			for i := range size {
				if at := first + w + 4*i; at < 1_000_000 {
					indexes = append(indexes, at)
				}
			}
			if len(indexes) > 0 {
				reports = append(reports, task.Of(indexes...))
			}
		}
	}
	return reports
}

// BenchmarkFoldMillion folds the history of a million confirmed tasks, as a
// cold start does: the target is a second and 200 MB.
func BenchmarkFoldMillion(b *testing.B) {
	for name, size := range map[string]int{"one-task-a-report": 1, "100-tasks-a-report": 100} {
		b.Run(name, func(b *testing.B) {
			s := million(b)
			var history []Event
			for _, tasks := range scattered(size) {
				history = append(history, TasksConfirmed{Address: "work", Attempt: 1, Tasks: tasks, At: start})
			}
			b.ReportAllocs()
			for b.Loop() {
				done := Fold(s, history...)
				require.NoError(b, done.Damage())
				require.Equal(b, 1_000_000, done.Steps()[0].Confirmed)
			}
			b.StopTimer()
			var m runtime.MemStats
			done := Fold(s, history...)
			runtime.GC()
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-held") // the history included
			runtime.KeepAlive(done)
			runtime.KeepAlive(history)
		})
	}
}

// BenchmarkDecidePerResult reports what one result costs in Decide and Evolve
// together, in a process of a million tasks.
func BenchmarkDecidePerResult(b *testing.B) {
	for name, size := range map[string]int{"alone": 1, "in-ranges-of-100": 100, "in-ranges-of-1000": 1000} {
		b.Run(name, func(b *testing.B) {
			s := million(b)
			reports := scattered(size)
			results, next := 0, 0
			at := s
			for b.Loop() {
				if next == len(reports) {
					next, at = 0, s
				}
				events, err := Decide(at, ConfirmTasks{Address: "work", Attempt: 1, Tasks: reports[next], At: start})
				if err != nil {
					b.Fatal(err)
				}
				at = Fold(at, events...)
				results += reports[next].Len()
				next++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(results), "ns/result")
		})
	}
}

// BenchmarkSnapshotMillion writes and reads the snapshot of a running step with
// a million confirmed tasks, each of which wrote a blob. What it remembers of
// them is a manifest a report, or, when they were reported alone, the blob itself.
func BenchmarkSnapshotMillion(b *testing.B) {
	for name, size := range map[string]int{"one-task-a-report": 1, "25-tasks-a-report": 25, "100-tasks-a-report": 100} {
		b.Run(name, func(b *testing.B) {
			var history []Event
			for first := 0; first < 999_900; first += size {
				e := TasksConfirmed{Address: "work", Attempt: 1, Tasks: task.Span(first, size), At: start}
				ref := task.Ref{Key: fmt.Sprintf("p/work/0/%d/1-0123456789abcdef/out", first), Size: 100, SHA256: fmt.Sprintf("%064x", first)}
				if e.Manifest = &ref; size == 1 {
					e.Manifest, e.Parts = nil, []task.Produced{{Index: first, Data: "out", Part: task.Part{Ref: &ref}}}
				}
				history = append(history, e)
			}
			s := Fold(million(b), history...)
			require.Equal(b, len(history), s.Reports())
			data, err := EncodeSnapshot(s)
			require.NoError(b, err)
			b.Run("write", func(b *testing.B) {
				for b.Loop() {
					_, err := EncodeSnapshot(s)
					require.NoError(b, err)
				}
				b.ReportMetric(float64(len(data))/1e6, "MB")
			})
			b.Run("read", func(b *testing.B) {
				for b.Loop() {
					_, err := DecodeSnapshot(data)
					require.NoError(b, err)
				}
			})
		})
	}
}

// BenchmarkPassPerResult is the same where so many reports come in together, as
// they do when tasks are short: decided on, applied, and what they ask of the shell.
func BenchmarkPassPerResult(b *testing.B) {
	for _, tasks := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("tasks=%d", tasks), func(b *testing.B) {
			s := decideAll(b, State{}, StartProcess{
				ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": manifestOf(tasks)}, At: start,
			})
			results, next, at := 0, 0, s
			for b.Loop() {
				if next == tasks {
					next, at = 0, s
				}
				pass := Begin(at)
				for end := min(next+1000, tasks); next < end; next += 10 {
					if _, _, err := pass.Decide(ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Span(next, 10), At: start}); err != nil {
						b.Fatal(err)
					}
					results += 10
				}
				at = pass.State()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(results), "ns/result")
		})
	}
}
