package metrics_test

import (
	"testing"
	"time"

	"github.com/deedrun/deed/internal/metrics"
)

// BenchmarkTask is what measuring costs a task, with as many slots as there are
// cores: it should be less than 100 ns.
func BenchmarkTask(b *testing.B) {
	for name, w := range map[string]*metrics.Worker{"measured": metrics.New("test").Worker(), "not": nil} {
		b.Run(name, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					w.Executed("words/count", "done", time.Millisecond)
					w.Written(1)
				}
			})
		})
	}
}
