package storetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// Bench measures a backend with events of 256 bytes: appends of 1, 100 and
// 1,000 events a commit, one after the other on one stream, and a read of
// 100,000 events.
func Bench(b *testing.B, backend Backend) {
	payload := events.Record{Type: "Measured", Schema: 1, Data: fmt.Appendf(nil, `{"fill":"%0240d"}`, 0)}
	filled := func(n int) []events.Record {
		list := make([]events.Record, n)
		for i := range list {
			list[i] = payload
		}
		return list
	}
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("append/%d", size), func(b *testing.B) {
			s := backend(b)()
			list := filled(size)
			var version uint64
			for b.Loop() {
				var err error
				if version, err = s.Append(b.Context(), "a", events.Exactly(version), fmt.Sprint(version), list...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
			require.NoError(b, s.Close())
		})
	}
	for _, size := range []int{10, 100} {
		b.Run(fmt.Sprintf("read-100k/%d", size), func(b *testing.B) {
			s := backend(b)()
			list := filled(size)
			for v := 0; v < 100_000; v += size {
				_, err := s.Append(b.Context(), "a", events.Exactly(uint64(v)), fmt.Sprint(v), list...)
				require.NoError(b, err)
			}
			for b.Loop() {
				count := 0
				for _, err := range s.Read(b.Context(), "a", 0) {
					if err != nil {
						b.Fatal(err)
					}
					count++
				}
				require.Equal(b, 100_000, count)
			}
			b.ReportMetric(float64(b.N*100_000)/b.Elapsed().Seconds(), "events/s")
			require.NoError(b, s.Close())
		})
	}
}
