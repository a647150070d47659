package api_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/internal/metrics/metricstest"
	"github.com/deedrun/deed/worker"
)

func TestRequestsAreCountedByRouteAndStatusAndNeverByWhatTheyName(t *testing.T) {
	m := deed.NewMetrics("test")
	r := over(t, inMemory(t, worker.NewRegistry()).runtime, func(o *api.Options) { o.Metrics = m })
	r.do(http.MethodGet, "/v1/version", nil)
	r.do(http.MethodGet, "/v1/processes/one", nil)
	r.do(http.MethodGet, "/v1/processes/another", nil)
	r.do(http.MethodGet, "/v1/nothing/of/the/kind", nil)
	r.do(http.MethodDelete, "/v1/version", nil)
	r.do("BREW", "/v1/version", nil)

	feed := r.open(http.MethodGet, "/v1/feed?prefix=process-", nil)
	defer feed.Body.Close()
	_, err := bufio.NewReader(feed.Body).ReadString('\n') // it is there, and says so
	require.NoError(t, err)
	told := metricstest.Read(m)
	require.Equal(t, 1, told["deed_api_streams"])
	require.GreaterOrEqual(t, told["deed_api_requests_in_flight"], 1)
	require.NoError(t, feed.Body.Close())
	require.Eventually(t, func() bool { return metricstest.Read(m)["deed_api_streams"] == 0 }, patience, time.Millisecond)

	told = metricstest.Read(m)
	require.Equal(t, 1, told[`deed_api_requests_total{code="200",method="GET",route="/v1/version"}`])
	require.Equal(t, 2, told[`deed_api_requests_total{code="404",method="GET",route="/v1/processes/{id}"}`])
	require.Equal(t, 1, told[`deed_api_requests_total{code="404",method="GET",route="none"}`])
	require.Equal(t, 1, told[`deed_api_requests_total{code="405",method="DELETE",route="none"}`])
	require.Equal(t, 1, told[`deed_api_requests_total{code="405",method="other",route="none"}`])
	require.Equal(t, 1, told[`deed_api_requests_total{code="200",method="GET",route="/v1/feed"}`])
	require.NotContains(t, told, `deed_api_request_duration_seconds_count{route="/v1/feed"}`, "a stream lasts as long as somebody listens")
	for series := range told {
		require.NotContains(t, series, "another")
	}

	page := r.do(http.MethodGet, "/metrics", nil)
	require.Equal(t, http.StatusOK, page.status)
	require.True(t, strings.HasPrefix(page.header.Get("Content-Type"), "text/plain"))
}

func TestAServerThatMeasuresNothingSaysSo(t *testing.T) {
	r := inMemory(t, worker.NewRegistry())
	require.Equal(t, http.StatusNotFound, r.do(http.MethodGet, "/metrics", nil).status)
}
