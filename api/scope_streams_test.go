package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
)

func TestStreamsThatAreOfNoProcessAreForThoseWhoSeeAll(t *testing.T) {
	r := tenants(t)
	others := []string{"access", "autoscale-default", "later", "retention"}
	for _, stream := range others {
		_, err := r.runtime.Events.Append(t.Context(), stream, events.NoStream(), "c-"+stream, events.Record{Type: "t", Schema: 1, Data: []byte(`{}`)})
		require.NoError(t, err)
	}
	for who, sees := range map[string][]string{
		"viewer": {"autoscale-default", "retention"}, "operator": {"autoscale-default", "retention"}, "ours": nil, "ours-admin": nil, "admin": others,
	} {
		r := r.as(who)
		log := events.New(r.client.Events())
		streams, err := log.Streams(t.Context(), "")
		require.NoError(t, err)
		streams = slices.DeleteFunc(streams, func(s string) bool { return strings.HasPrefix(s, processes) })
		require.Equal(t, sees, append([]string(nil), streams...), who)
		for c, err := range log.Ends(t.Context(), "") {
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(c.Stream, processes) || slices.Contains(sees, c.Stream), "%s as %s", c.Stream, who)
		}
		all := r.until("/v1/feed", "caughtUp")
		for _, stream := range others {
			seen := slices.Contains(sees, stream)
			require.Equal(t, seen, strings.Contains(all, `"stream":"`+stream+`"`), "%s as %s", stream, who)
			for _, address := range []string{"/v1/streams/X/commits", "/v1/streams/X/last", "/v1/streams?prefix=X", "/v1/ends?prefix=X", "/v1/feed?prefix=X"} {
				address = strings.ReplaceAll(address, "X", stream)
				if !seen {
					r.refused(http.StatusForbidden, wire.CodeForbidden, http.MethodGet, address, nil)
					continue
				}
				text := r.until(address, stream)
				require.Contains(t, text, stream, "%s as %s", address, who)
			}
		}
	}
}

func TestStreamsOfAnotherTeamAreLikeThoseThatAreNotThere(t *testing.T) {
	r := tenants(t).as("ours")
	for _, address := range []string{"/v1/streams/process-ID/commits", "/v1/streams/process-ID/last", "/v1/streams?prefix=process-ID", "/v1/ends?prefix=process-ID"} {
		ask := func(id string) answer {
			return r.do(http.MethodGet, strings.ReplaceAll(address, "ID", id), nil)
		}
		alike(t, address, ask(another), ask(none), another, none)
		require.NotContains(t, string(ask(another).body), another)
		require.Contains(t, string(ask("ours-1").body), "process-ours-1", address)
	}
	for _, id := range []string{another, none} {
		require.Equal(t, `{"caughtUp":true}`+"\n", r.until("/v1/feed?prefix=process-"+id, "caughtUp"))
	}
}

func TestWhatIsStoredMeanwhileIsFedToThoseForWhomItExists(t *testing.T) {
	r := tenants(t)
	feed, err := r.as("ours").client.Events().Subscribe(t.Context(), "", 0)
	require.NoError(t, err)
	defer feed.Stop()
	for {
		_, ready, err := feed.Next(t.Context(), false)
		require.NoError(t, err)
		if !ready {
			break
		}
	}
	r.as("theirs").shouts("theirs-3", "theirs-loud")
	r.as("ours").shouts("ours-3", "ours-loud")
	c, _, err := feed.Next(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, "process-ours-3", c.Stream)
}
