package whatif_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/whatif"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// BenchmarkReplay folds the history of a million tasks, confirmed by the
// hundred, of which every thousandth failed once.
func BenchmarkReplay(b *testing.B) {
	const photos, together = 1_000_000, 100
	def := album()
	def.Steps = def.Steps[:1]
	def.Steps[0].Out, def.Outputs = nil, nil
	s := &story{t: b}
	input := task.Dataset{Count: photos, Keys: 1, Digest: "photos", Manifest: &task.Manifest{Ref: task.Ref{Key: "m", Size: 1, SHA256: "00"}}}
	s.tell(process.StartProcess{ID: "p", Definition: def, Inputs: map[string]task.Dataset{"photos": input}, At: noon})
	for first := 0; first < photos; first += together {
		at := float64(first) / together
		if first%1000 == 0 {
			s.failed(at, "shrink", 1, first)
			s.retried(at+1, "shrink", 2, first)
		}
		s.tell(process.ConfirmTasks{Address: "shrink", Attempt: 1, Tasks: task.Span(first, together), Elapsed: together * task.Duration(1e9), At: after(at + 1)})
	}
	require.Equal(b, process.Completed, s.state.Status)
	for _, setting := range [][2]string{{"shrink.retry.attempts", "7"}, {"shrink.retry.backoff", "1h"}, {"shrink.parallelism", "1000"}} {
		b.Run(fmt.Sprintf("%s=%s", setting[0], setting[1]), func(b *testing.B) {
			for range b.N {
				r := whatif.New(func(d definition.Definition) (definition.Definition, error) {
					return definition.Set(d, setting[0], setting[1])
				})
				for _, e := range s.history {
					require.NoError(b, r.Next(e))
				}
				report, err := r.Report()
				require.NoError(b, err)
				require.NotEqual(b, process.Failed, report.Instead.Status)
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(len(s.history)), "events")
			b.ReportMetric(float64(m.Sys)/(1<<20), "MiB-of-system")
		})
	}
}
