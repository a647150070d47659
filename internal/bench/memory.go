package bench

import "runtime/metrics"

// samples is how often a course of memory looks.
const samples = 10

// memoryCourse is how much memory this process has as its work goes on.
type memoryCourse struct {
	total    int
	resident []float64
	live     []float64
}

func newMemoryCourse(total int) *memoryCourse { return &memoryCourse{total: total} }

// note says how much of the work is done. It looks whenever another tenth is.
func (c *memoryCourse) note(done int) {
	if done*samples/c.total == (done-1)*samples/c.total {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}} // at the end of the last collection
	metrics.Read(live)
	if live[0].Value.Kind() == metrics.KindUint64 {
		c.live = append(c.live, float64(live[0].Value.Uint64()))
	}
	if now := residentMemory(); now > 0 {
		c.resident = append(c.resident, float64(now))
	}
}

// course is what was seen, for a Measure.
func (c *memoryCourse) course() map[string][]float64 {
	return map[string][]float64{"resident_bytes": c.resident, "live_heap_bytes": c.live}
}
