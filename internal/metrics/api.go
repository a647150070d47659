package metrics

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// API is what an API measures. A nil one measures nothing.
type API struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	inFlight  prometheus.Gauge
	streams   prometheus.Gauge
}

func newAPI(r *Registry) *API {
	return &API{
		requests:  r.counters("deed_api_requests_total"),
		durations: r.histograms("deed_api_request_duration_seconds"),
		inFlight:  r.gauge("deed_api_requests_in_flight"),
		streams:   r.gauge("deed_api_streams"),
	}
}

// Begins notes that a request is being answered; ends, that it is no more.
func (m *API) Begins() (ends func()) {
	if m == nil {
		return func() {}
	}
	m.inFlight.Inc()
	return m.inFlight.Dec
}

// Streams notes that an answer is a stream; ends, that it is over.
func (m *API) Streams() (ends func()) {
	if m == nil {
		return func() {}
	}
	m.streams.Inc()
	return m.streams.Dec
}

// methods are those that may be a label: a request may name any.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// Answered notes an answer. The route is one of those there are, or "". A stream
// has no duration that would say anything.
func (m *API) Answered(route, method string, code int, stream bool, took time.Duration) {
	if m == nil {
		return
	}
	if route == "" {
		route = "none"
	}
	if !slices.Contains(methods, method) {
		method = "other"
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(code)).Inc()
	if !stream {
		m.durations.WithLabelValues(route).Observe(took.Seconds())
	}
}
