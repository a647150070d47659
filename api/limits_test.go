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

func TestOneTokenLeavesWatchesAndFeedsForOthers(t *testing.T) {
	r := over(t, inMemory(t, nil).runtime, func(o *api.Options) { o.Access, o.RequireToken, o.Streams = invited(), true, 3 })
	open := func(who string) *http.Response { return r.as(who).open(http.MethodGet, "/v1/feed", nil) }
	for _, who := range []string{"ours", "ours", "theirs"} {
		resp := open(who)
		defer resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode, who)
		if who == "ours" {
			continue
		}
		p := r.as("theirs-admin").refused(http.StatusServiceUnavailable, wire.CodeUnavailable, http.MethodGet, "/v1/feed", nil)
		require.Contains(t, p.Detail, "this server has 3 watches")
		require.NoError(t, resp.Body.Close())
	}
	p := r.as("ours").refused(http.StatusServiceUnavailable, wire.CodeUnavailable, http.MethodGet, "/v1/feed", nil)
	require.Contains(t, p.Detail, "the token ours-ci has 2 watches")
}
