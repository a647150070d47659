// Package metricstest reads what is measured, for tests of whoever measures.
package metricstest

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/deedrun/deed/internal/metrics"
)

// Read is a scrape: the values by series, as Prometheus writes them, such as
// `deed_tasks_total{event="sent"}`, rounded up. What is not told is not in it.
func Read(r *metrics.Registry) map[string]int {
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return Parse(w.Body.String())
}

// Parse reads the text of a scrape.
func Parse(scrape string) map[string]int {
	all := map[string]int{}
	for line := range strings.Lines(scrape) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if v, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			all[line[:at]] = int(math.Ceil(v))
		}
	}
	return all
}
