package metrics

import (
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry is the metrics of one process. What a role has appears in it when the
// role asks for its instruments, which are the same each time: they outlive the
// role, as when a worker goes from one server to the next.
type Registry struct {
	all     *prometheus.Registry
	handler http.Handler

	orchestrator func() *Orchestrator
	worker       func() *Worker
	api          func() *API
	queues       func() *Queues
	nats         func() *NATS
	listener     func() *Listener
	autoscale    func() *Autoscale
}

// New is a registry with what is true of every process: the Go runtime, the
// operating system's view of the process, and the version.
func New(version string) *Registry {
	r := &Registry{all: prometheus.NewRegistry()}
	r.handler = promhttp.HandlerFor(r.all, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError, // a metric that cannot be had does not keep the others from being told
		MaxRequestsInFlight: scrapesAtATime, Timeout: scrapeWithin,
	})
	r.all.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	r.gauges("deed_build_info").WithLabelValues(version, runtime.Version()).Set(1)
	r.orchestrator = sync.OnceValue(func() *Orchestrator { return newOrchestrator(r) })
	r.worker = sync.OnceValue(func() *Worker { return newWorker(r) })
	r.api = sync.OnceValue(func() *API { return newAPI(r) })
	r.queues = sync.OnceValue(func() *Queues { return newQueues(r) })
	r.nats = sync.OnceValue(func() *NATS { return newNATS(r) })
	r.listener = sync.OnceValue(func() *Listener { return newListener(r) })
	r.autoscale = sync.OnceValue(func() *Autoscale { return newAutoscale(r) })
	return r
}

// Orchestrator is what an orchestrator measures; nil of a nil registry.
func (r *Registry) Orchestrator() *Orchestrator {
	return of(r, func() *Orchestrator { return r.orchestrator() })
}

// Worker is what a worker measures.
func (r *Registry) Worker() *Worker { return of(r, func() *Worker { return r.worker() }) }

// API is what an API measures.
func (r *Registry) API() *API { return of(r, func() *API { return r.api() }) }

// Queues is what is to be seen of queues and stores from where they are served.
func (r *Registry) Queues() *Queues { return of(r, func() *Queues { return r.queues() }) }

// NATS is what is to be seen of connections to it.
func (r *Registry) NATS() *NATS { return of(r, func() *NATS { return r.nats() }) }

// Listener is what is to be seen of who listens with a certificate.
func (r *Registry) Listener() *Listener { return of(r, func() *Listener { return r.listener() }) }

// Autoscale is what autoscale measures.
func (r *Registry) Autoscale() *Autoscale { return of(r, func() *Autoscale { return r.autoscale() }) }

func of[T any](r *Registry, instruments func() *T) *T {
	if r == nil {
		return nil
	}
	return instruments()
}

// A scrape reads memory, and asks the queues: that takes milliseconds, unless
// they are away.
const (
	scrapeWithin   = 10 * time.Second
	scrapesAtATime = 4
)

// Handler answers scrapes: always the same one, which answers so many at a time
// wherever they come in.
func (r *Registry) Handler() http.Handler { return r.handler }

func (r *Registry) counter(name string) prometheus.Counter {
	return registered(r, prometheus.NewCounter(prometheus.CounterOpts(opts(name))))
}

func (r *Registry) counters(name string) *prometheus.CounterVec {
	return registered(r, prometheus.NewCounterVec(prometheus.CounterOpts(opts(name)), find(name).Labels))
}

func (r *Registry) gauge(name string) prometheus.Gauge {
	return registered(r, prometheus.NewGauge(prometheus.GaugeOpts(opts(name))))
}

func (r *Registry) gauges(name string) *prometheus.GaugeVec {
	return registered(r, prometheus.NewGaugeVec(prometheus.GaugeOpts(opts(name)), find(name).Labels))
}

func (r *Registry) histogram(name string) prometheus.Histogram {
	return registered(r, prometheus.NewHistogram(histogramOpts(name)))
}

func (r *Registry) histograms(name string) *prometheus.HistogramVec {
	return registered(r, prometheus.NewHistogramVec(histogramOpts(name), find(name).Labels))
}

func opts(name string) prometheus.Opts { return prometheus.Opts{Name: name, Help: find(name).Help} }

func histogramOpts(name string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: name, Help: find(name).Help, Buckets: find(name).Buckets}
}

func registered[C prometheus.Collector](r *Registry, c C) C {
	r.all.MustRegister(c)
	return c
}
