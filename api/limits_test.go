package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/wire"
)

func TestAServerOpensOnlySoManyWatchesAndFeedsAtATimeAndTheNextWhenOneEnds(t *testing.T) {
	runtime, err := deed.Open(t.Context(), deed.Options{})
	require.NoError(t, err)
	t.Cleanup(runtime.Close)
	r := over(t, runtime, func(o *api.Options) { o.Streams = 2 })
	open := func() *http.Response {
		resp, err := http.Get(r.url + "/v1/feed")
		require.NoError(t, err)
		return resp
	}
	first, second := open(), open()
	defer second.Body.Close()
	require.Equal(t, []int{200, 200}, []int{first.StatusCode, second.StatusCode})

	third := open()
	defer third.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, third.StatusCode)
	require.Equal(t, "1", third.Header.Get("Retry-After"))
	r.ask(http.StatusOK, &wire.Processes{}, http.MethodGet, "/v1/processes", nil) // what has an end is answered

	require.NoError(t, first.Body.Close())
	require.Eventually(t, func() bool {
		again := open()
		defer again.Body.Close()
		return again.StatusCode == http.StatusOK
	}, patience, 10*time.Millisecond)
}
