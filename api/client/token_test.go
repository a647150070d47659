package client_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
)

const token = "deed_abcdefgh_secret"

func TestATokenIsShownWithEveryRequest(t *testing.T) {
	var wrong, all atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all.Add(1)
		if r.Header.Get("Authorization") != "Bearer "+token || strings.Contains(r.URL.String(), "secret") {
			wrong.Add(1)
		}
		_, _ = w.Write([]byte("{}\n"))
	}))
	defer server.Close()
	c, err := client.New(server.URL, client.Options{Token: token})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Version(t.Context())
	require.NoError(t, err)
	_, err = c.IssueToken(t.Context(), wire.NewToken{Name: "ci"})
	require.NoError(t, err)
	_, _ = c.Bucket().Attributes(t.Context(), "sha256/x")
	for range c.Watch(t.Context(), "p", 0) {
		break
	}
	require.GreaterOrEqual(t, all.Load(), int64(4))
	require.Zero(t, wrong.Load())
}

func TestATokenIsNeverSentInTheOpenToAnotherMachine(t *testing.T) {
	for _, address := range []string{
		"http://192.0.2.7:8420", "http://deed.example.org", "http://localhost.example.org:80", "http://127.0.0.1.example.org", "http://[2001:db8::1]:80", "HTTP://deed.example.org",
	} {
		_, err := client.New(address, client.Options{Token: token})
		require.ErrorAs(t, err, new(*client.InsecureError), address)
		require.ErrorContains(t, err, "name the server by https")
		require.NotContains(t, err.Error(), "secret")
	}
	for _, address := range []string{"http://127.0.0.1:8420", "http://localhost", "http://[::1]:8420", "https://deed.example.org"} {
		_, err := client.New(address, client.Options{Token: token})
		require.NoError(t, err, address)
	}
}

func TestATokenIsNotTakenToWhereAServerPointsTo(t *testing.T) {
	var reached atomic.Bool
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	defer thief.Close()
	server := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	c, err := client.New(server.URL, client.Options{Token: token})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Version(t.Context())
	require.ErrorContains(t, err, "not as a deed server does")
	require.False(t, reached.Load())
}

func TestATokenThatCouldNotBeOneIsRefusedWithoutBeingTold(t *testing.T) {
	for _, bad := range []string{"a secret", "secret\nHost: x", "secret\x00", "sécret"} {
		_, err := client.New("https://deed.example.org", client.Options{Token: bad})
		require.ErrorContains(t, err, "signs that no token has")
		require.NotContains(t, err.Error(), bad)
	}
}
