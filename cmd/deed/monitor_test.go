package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
)

// watching asks a monitor.
func watching(t *testing.T, m *monitor, method, path string, change ...func(*http.Request)) (status int, body string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:9464"+path, http.NoBody)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func newMonitor(t *testing.T) *monitor {
	t.Helper()
	return &monitor{metrics: deed.NewMetrics("1.2.3"), log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

func named(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func TestProbesAreAnsweredWhateverTheHostAndSayWhatIsWrong(t *testing.T) {
	m := newMonitor(t)
	m.tokenFile = filepath.Join(t.TempDir(), "is-not-there")
	status, body := watching(t, m, http.MethodGet, "/healthz", named("10.1.2.3:9464"))
	require.Equal(t, http.StatusOK, status, body)
	status, body = watching(t, m, http.MethodGet, "/readyz", named("10.1.2.3:9464"))
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, "waits for its server")

	var state error
	end := m.follow(func() error { return state })
	status, _ = watching(t, m, http.MethodHead, "/readyz")
	require.Equal(t, http.StatusOK, status)
	state = errors.New("the connection is lost")
	_, body = watching(t, m, http.MethodGet, "/readyz")
	require.Contains(t, body, "the connection is lost")
	next := m.follow(func() error { return nil })
	end() // late: another has taken its place
	status, _ = watching(t, m, http.MethodGet, "/readyz")
	require.Equal(t, http.StatusOK, status)
	next()
	status, _ = watching(t, m, http.MethodGet, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
}

func TestWithoutATokenMetricsAreToldToThisMachineAlone(t *testing.T) {
	m := newMonitor(t)
	for _, name := range []string{"localhost", "localhost:9464", "127.0.0.1:9464", "[::1]:9464"} {
		status, body := watching(t, m, http.MethodGet, "/metrics", named(name))
		require.Equal(t, http.StatusOK, status, name)
		require.Contains(t, body, `version="1.2.3"`)
	}
	for _, name := range []string{"rebound.example:9464", "10.1.2.3:9464", ""} {
		status, body := watching(t, m, http.MethodGet, "/metrics", named(name))
		require.Equal(t, http.StatusMisdirectedRequest, status, name)
		require.NotContains(t, body, "deed_build_info")
	}
}

func TestWithATokenMetricsAreToldToWhoeverShowsItAndToNobodyElse(t *testing.T) {
	m := newMonitor(t)
	m.tokenFile = filepath.Join(t.TempDir(), "token")
	const token, next = "0123456789abcdef-one", "0123456789abcdef-two"
	require.NoError(t, os.WriteFile(m.tokenFile, []byte(token+"\n"), 0o600))
	status, _ := watching(t, m, http.MethodGet, "/metrics", named("deed-1:9464"), bearer(token))
	require.Equal(t, http.StatusOK, status)
	for name, change := range map[string]func(*http.Request){
		"none":               func(*http.Request) {},
		"empty":              bearer(""),
		"another":            bearer(next),
		"a longer one":       bearer(token + "x"),
		"under another word": func(r *http.Request) { r.Header.Set("Authorization", "Basic "+token) },
		"in the address":     func(r *http.Request) { r.URL.RawQuery = "token=" + token },
	} {
		status, body := watching(t, m, http.MethodGet, "/metrics", change)
		require.Equal(t, http.StatusUnauthorized, status, name)
		require.NotContains(t, body, "deed_build_info", name)
		require.NotContains(t, body, token, name)
	}

	require.NoError(t, os.WriteFile(m.tokenFile, []byte(next), 0o600))
	status, _ = watching(t, m, http.MethodGet, "/metrics", bearer(next))
	require.Equal(t, http.StatusOK, status, "the file is read again")
	status, _ = watching(t, m, http.MethodGet, "/metrics", bearer(token))
	require.Equal(t, http.StatusUnauthorized, status)

	require.NoError(t, os.WriteFile(m.tokenFile, nil, 0o600))
	for _, shown := range []string{"", next} {
		status, _ = watching(t, m, http.MethodGet, "/metrics", bearer(shown))
		require.Equal(t, http.StatusServiceUnavailable, status, "an empty token opens nothing")
	}
}

func TestAMonitorTakesNothingAndHasNothingElse(t *testing.T) {
	m := newMonitor(t)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, "BREW"} {
		status, _ := watching(t, m, method, "/metrics")
		require.Equal(t, http.StatusMethodNotAllowed, status)
	}
	for _, path := range []string{"/", "/metrics/", "/debug/pprof/", "/v1/processes", "/metrics/../healthz"} {
		status, _ := watching(t, m, http.MethodGet, path)
		require.Equal(t, http.StatusNotFound, status, path)
	}
}

func TestAnAddressThatOthersCanReachNeedsACertificateAndAToken(t *testing.T) {
	for name, c := range map[string]struct {
		flags       metricsFlags
		certificate bool
		want        string
	}{
		"nothing":                     {},
		"this machine":                {flags: metricsFlags{listen: "127.0.0.1:0"}},
		"this machine, by name":       {flags: metricsFlags{listen: "localhost:9464"}},
		"this machine, IPv6":          {flags: metricsFlags{listen: "[::1]:9464"}},
		"everybody, with both":        {flags: metricsFlags{listen: "0.0.0.0:9464", tokenFile: "t"}, certificate: true},
		"everybody":                   {flags: metricsFlags{listen: "0.0.0.0:9464"}, want: "let it be 127.0.0.1:9464"},
		"everybody, unsaid":           {flags: metricsFlags{listen: ":9464"}, want: "--metrics-token-file"},
		"everybody, without token":    {flags: metricsFlags{listen: "deed:9464"}, certificate: true, want: "--metrics-token-file"},
		"everybody, no certificate":   {flags: metricsFlags{listen: "10.0.0.1:9464", tokenFile: "t"}, want: "--tls-cert"},
		"no port":                     {flags: metricsFlags{listen: "127.0.0.1"}, want: "HOST:PORT"},
		"a token for nothing":         {flags: metricsFlags{tokenFile: "t"}, want: "belongs to --metrics"},
		"a certificate for nothing":   {flags: metricsFlags{tlsCert: "c", tlsKey: "k"}, want: "belong to --metrics"},
		"a certificate without a key": {flags: metricsFlags{listen: "127.0.0.1:0", tlsCert: "c"}, want: "give both"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.flags.check(c.certificate)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			require.Equal(t, exitUsage, exitCode(err))
		})
	}
}

func TestATokenThatCanBeGuessedKeepsARoleFromStarting(t *testing.T) {
	short := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(short, []byte("secret\n"), 0o600))
	for file, want := range map[string]string{short: "can be guessed", short + "-not": "no such file"} {
		var stderr strings.Builder
		code := execute(t.Context(), []string{
			"worker", "--data", t.TempDir(), "--metrics", "127.0.0.1:0", "--metrics-token-file", file,
		}, strings.NewReader(""), io.Discard, &stderr)
		require.Equal(t, exitUsage, code, stderr.String())
		require.Contains(t, stderr.String(), want)
		require.NotContains(t, stderr.String(), "secret")
	}
}
