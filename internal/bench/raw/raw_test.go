package raw_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/bench/raw"
)

// BenchmarkLoop compares the ways to connect: through the loopback interface,
// and without a network.
func BenchmarkLoop(b *testing.B) {
	for _, tcp := range []bool{false, true} {
		for _, shape := range [][2]int{{1, 50_000}, {100, 100}, {500, 1}} {
			b.Run(fmt.Sprintf("tcp=%t/steps=%d/width=%d", tcp, shape[0], shape[1]), func(b *testing.B) {
				n := shape[0] * shape[1]
				var took, cpu time.Duration
				for b.Loop() {
					rig, err := raw.Start(b.Context(), raw.Options{Dir: b.TempDir(), TCP: tcp})
					require.NoError(b, err)
					began, used := time.Now(), cpuTime(b)
					_, err = rig.Loop(b.Context(), shape[0], shape[1])
					took += time.Since(began)
					cpu += cpuTime(b) - used
					rig.Close()
					require.NoError(b, err)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(n*b.N)/took.Seconds(), "tasks/s")
				b.ReportMetric(float64(cpu.Microseconds())/float64(n*b.N), "cpu-µs/task")
			})
		}
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
