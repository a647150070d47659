package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/queue"
)

func TestAddressesOfServers(t *testing.T) {
	for _, good := range []string{"http://127.0.0.1:8420", "http://localhost:8420/", "https://deed.example/behind/a/proxy"} {
		_, err := client.New(good, client.Options{})
		require.NoError(t, err, good)
	}
	for _, bad := range []string{"", "127.0.0.1:8420", "localhost", "nats://localhost:4222", "http://", "http://ada:secret@localhost", "http://localhost?x=1", "http://localhost#x", "http://[::1"} {
		_, err := client.New(bad, client.Options{})
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestAServerThatIsNotThereIsWorthAskingAgain(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c, err := client.New(server.URL, client.Options{})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Version(t.Context())
	require.ErrorIs(t, err, events.ErrUnavailable)
	require.ErrorIs(t, err, queue.ErrUnavailable)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Version(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, events.ErrUnavailable, "who gave up does not try again")
}

func TestWhatIsNoDeedServerIsSaidSo(t *testing.T) {
	for status, retry := range map[int]bool{404: false, 200: false, 302: false, 502: true, 503: true} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte("<html>welcome</html>"))
		}))
		c, err := client.New(server.URL, client.Options{})
		require.NoError(t, err)
		_, err = c.Version(t.Context())
		if retry { // a proxy, whose server is away
			require.ErrorIs(t, err, events.ErrUnavailable)
		} else {
			require.ErrorContains(t, err, server.URL)
			require.NotErrorIs(t, err, events.ErrUnavailable)
		}
		c.Close()
		server.Close()
	}
}

func TestAProblemOfALaterVersionKeepsItsWords(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", wire.ProblemType)
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(`{"code": "teapot", "detail": "it makes no coffee", "spout": "short"}`))
	}))
	defer server.Close()
	c, err := client.New(server.URL, client.Options{})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Version(t.Context())
	require.True(t, client.IsCode(err, "teapot"))
	require.EqualError(t, err, "it makes no coffee")
}
