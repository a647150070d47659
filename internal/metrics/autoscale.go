package metrics

import "github.com/prometheus/client_golang/prometheus"

// Autoscale is what autoscale measures. A nil one measures nothing.
type Autoscale struct {
	workers   *prometheus.GaugeVec
	decisions *prometheus.CounterVec
	looks     *prometheus.CounterVec
}

func newAutoscale(r *Registry) *Autoscale {
	m := &Autoscale{
		workers:   r.gauges("deed_autoscale_workers"),
		decisions: r.counters("deed_autoscale_decisions_total"),
		looks:     r.counters("deed_autoscale_looks_total"),
	}
	m.looks.WithLabelValues("seen")
	m.looks.WithLabelValues("failed")
	return m
}

// Decided notes a decision, after which a pool has so many workers.
func (m *Autoscale) Decided(pool, kind string, workers int) {
	if m == nil {
		return
	}
	m.decisions.WithLabelValues(poolLabel(pool), kind).Inc()
	m.workers.WithLabelValues(poolLabel(pool)).Set(float64(workers))
}

// Looked notes a look at the pool.
func (m *Autoscale) Looked(err error) {
	switch {
	case m == nil:
	case err != nil:
		m.looks.WithLabelValues("failed").Inc()
	default:
		m.looks.WithLabelValues("seen").Inc()
	}
}
