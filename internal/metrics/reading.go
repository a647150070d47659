package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// reading is metrics that are read when somebody asks: each scrape takes one look
// at what is there, and tells all of it.
type reading struct {
	descs map[string]*prometheus.Desc
	kinds map[string]prometheus.ValueType
	look  func(tell func(name string, value float64, labels ...string))
}

// read registers metrics of the catalogue that one look tells.
func (r *Registry) read(look func(tell func(name string, value float64, labels ...string)), names ...string) {
	c := &reading{descs: map[string]*prometheus.Desc{}, kinds: map[string]prometheus.ValueType{}, look: look}
	for _, name := range names {
		m := find(name)
		c.descs[name] = prometheus.NewDesc(name, m.Help, m.Labels, nil)
		c.kinds[name] = prometheus.GaugeValue
		if m.Kind == counter {
			c.kinds[name] = prometheus.CounterValue
		}
	}
	r.all.MustRegister(c)
}

// Describe implements [prometheus.Collector].
func (c *reading) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *reading) Collect(to chan<- prometheus.Metric) {
	c.look(func(name string, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(c.descs[name], c.kinds[name], value, labels...)
	})
}
