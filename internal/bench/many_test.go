package bench

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkMany is for profiles; `deed bench many` compares.
func BenchmarkMany(b *testing.B) {
	for b.Loop() {
		m, err := deedMany(b.Context(), b.TempDir(), ManyParams{N: 10_000})
		require.NoError(b, err)
		b.ReportMetric(m.Also["processes_per_s"], "processes/s")
	}
}
