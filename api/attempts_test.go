package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/access"
)

func TestATokenIsTakenFromItsHeaderAloneAndWhole(t *testing.T) {
	d := atTheDoor(t, inMemory(t, nil).runtime)
	const asked = "GET /v1/processes"
	require.Equal(t, http.StatusOK, d.ask(asked, shows("viewer")).status)
	for name, header := range map[string][]string{
		"none":                    nil,
		"another":                 {shows("wrong")},
		"a part of one":           {shows("view")},
		"one and more":            {shows("viewerx")},
		"one in other letters":    {shows("VIEWER")},
		"two of them":             {shows("viewer"), shows("admin")},
		"two in one header":       {shows("viewer,admin")},
		"no scheme":               {"Authorization: viewer"},
		"another scheme":          {"Authorization: Basic dmlld2VyOnZpZXdlcg=="},
		"an empty one":            {"Authorization: Bearer "},
		"blanks":                  {"Authorization: Bearer    "},
		"an endless one":          {shows(strings.Repeat("x", 32<<10))},
		"in a cookie":             {"Cookie: token=viewer; Authorization=Bearer viewer"},
		"under another name":      {"X-Api-Key: viewer", "X-Authorization: Bearer viewer", "Proxy-Authorization: Bearer viewer"},
		"said by a proxy":         {"X-Forwarded-For: 127.0.0.1", "X-Real-Ip: 127.0.0.1", "Forwarded: for=127.0.0.1", "X-Remote-User: admin"},
		"of the form of deed's":   {shows("deed_aaaaaaaa_" + strings.Repeat("a", 52))},
		"with a nil byte, quoted": {shows(`viewer%00`)},
	} {
		a := d.ask(asked, header...)
		require.Equal(t, http.StatusUnauthorized, a.status, name)
		require.Contains(t, string(a.body), wire.CodeUnauthorized, name)
		require.NotContains(t, string(a.body), "viewer", "a token is not repeated: "+name)
	}
	for _, query := range []string{"token", "access_token", "authorization", "Authorization", "api_key"} {
		require.Equal(t, http.StatusUnauthorized, d.ask(asked+"?"+query+"=viewer").status, query)
	}
}

func TestATokenThatIsRevokedOrHasExpiredOpensNothing(t *testing.T) {
	r := inMemory(t, nil)
	d := atTheDoor(t, r.runtime)
	tokens := access.NewTokens(r.runtime.Events, nil)
	issue := func(name string, expires time.Time) (access.Token, string) {
		token, text, err := tokens.Issue(t.Context(), access.Issue{Name: name, Role: wire.Viewer, Expires: expires})
		require.NoError(t, err)
		return token, text
	}
	opens := func(text string) int { return d.ask("GET /v1/processes", shows(text)).status }

	revoked, text := issue("ci", time.Time{})
	require.Equal(t, http.StatusOK, opens(text))
	_, _, err := tokens.Revoke(t.Context(), revoked.ID, "ada")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return opens(text) == http.StatusUnauthorized }, patience, 20*time.Millisecond)

	_, text = issue("brief", time.Now().Add(300*time.Millisecond))
	require.Eventually(t, func() bool { return opens(text) == http.StatusUnauthorized }, patience, 20*time.Millisecond)

	_, text = issue("ci", time.Time{})
	require.Eventually(t, func() bool { return opens(text) == http.StatusOK }, patience, 20*time.Millisecond, "a new one of the same name is another")
}

func TestWhatIsBeingReadEndsWithItsToken(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	defer close(gate)
	r := inMemory(t, greeters(gate))
	_, err := r.client.Submit(t.Context(), wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Gate")})
	require.NoError(t, err)
	g := invited()
	viewer := guarded(t, r.runtime, g).as("viewer")
	feed, err := viewer.client.Events().Subscribe(t.Context(), "", 0)
	require.NoError(t, err)
	defer feed.Stop()
	_, _, err = feed.Next(t.Context(), true)
	require.NoError(t, err)
	ended, seen := make(chan error, 1), make(chan struct{}, 16)
	go func() {
		var last error
		for _, err := range viewer.client.Watch(t.Context(), "greet-1", 0) {
			last = err
			seen <- struct{}{}
		}
		ended <- last
	}()
	<-seen
	g.showOut("viewer")
	select {
	case err := <-ended:
		require.ErrorContains(t, err, access.ErrUnknown.Error())
	case <-time.After(patience):
		require.Fail(t, "the watch goes on")
	}
	for err == nil {
		_, _, err = feed.Next(t.Context(), true)
	}
	require.ErrorContains(t, err, access.ErrUnknown.Error())
	require.NotErrorIs(t, err, events.ErrUnavailable, "it is not worth asking again")
}

func TestPathsLeadNowhereElse(t *testing.T) {
	r := tenants(t)
	d := atTheDoor(t, r.runtime)
	for _, address := range []string{
		"/v1/processes/../tokens", "/v1/processes/%2e%2e/tokens", "/v1/processes/ours-1/../theirs-1", "/v1/processes/ours-1/%2e%2e/theirs-1",
		"/v1/processes/ours-1/..%2ftheirs-1", "/v1/processes/ours-1%2f..%2ftheirs-1", "/v1/processes/ours-1%2f%2e%2e%2ftheirs-1/history",
		"/v1//processes/theirs-1", "//v1/processes/theirs-1", "/v1/processes//theirs-1", "/v1/processes/theirs-1/", "/v1/./processes/theirs-1",
		"/v1/processes/theirs-1%00", "/v1/processes/%00theirs-1", "/v1/processes/theirs-1%0a", "/v1/processes/theirs-1;ours-1", "/v1/processes/theirs-1%3fx",
		"/v1/processes/%74heirs-1", "/v1/processes/theirs%2D1", "/v1/processes/THEIRS-1", "/V1/processes/theirs-1", "/v1/processes/theirs-1%20",
		"/v1/processes/%252e%252e/tokens", "/v1/processes/..%5ctheirs-1", `/v1/processes/..\theirs-1`, "/v1/processes/%c0%ae%c0%ae/tokens", "/v1/processes/\xff",
		"/v1/processes/ours-1/outputs/..%2f..%2ftheirs-1%2foutputs%2floud/0", "/v1/processes/ours-1/outputs/loud/..%2f..%2f..%2ftheirs-1",
		"/v1/streams/process-ours-1%2f..%2fprocess-theirs-1/commits", "/v1/streams/..%2fprocess-theirs-1/last", "/v1/streams/process-theirs-1%00/commits",
		"/v1/blobs/ours-1/..%2ftheirs-1/shout/0/0/1-x/loud", "/v1/blobs/ours-1/../theirs-1/x", "/v1/blobs/%2fetc%2fpasswd", "/v1/blobs//etc/passwd",
		"/v1/blobs/..%2f..%2f..%2fetc%2fpasswd", "/v1/blobs/file:%2f%2f%2fetc%2fpasswd", "/v1/blobs/sha256%2f..%2ftheirs-1", "/v1/blobs/x%00", "/v1/blobs/x.attrs",
		"/v1/processes/" + strings.Repeat("a", 9<<10), "/v1/processes?name=" + strings.Repeat("a", 9<<10), "/" + strings.Repeat("a/", 5000), "/" + strings.Repeat("%2e%2e%2f", 2000),
		"http://localhost/v1/processes/theirs-1", "http://evil.example/v1/processes", "http://evil.example:8420/v1/processes", "file:///etc/passwd", "*", "v1/processes", "?x",
		"/etc/passwd", "/.git/config", "/debug/pprof/", "/v1/openapi", "/v1/processes/theirs-1#x",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			a := d.ask(method+" "+address, shows("ours"))
			require.GreaterOrEqual(t, a.status, 400, "%s %.80s: %s", method, address, a.body)
			require.Less(t, a.status, 500, "%s %.80s: %s", method, address, a.body)
			for _, secret := range []string{"theirs-loud", `"tokens"`, "root:", "process-started"} {
				require.NotContains(t, string(a.body), secret, address)
			}
		}
	}
	require.Equal(t, http.StatusOK, d.ask("GET http://localhost/v1/processes/ours-1", shows("ours")).status, "a proxy may ask so")
}

func TestMethodsThatAnAddressDoesNotTakeDoNothing(t *testing.T) {
	r := tenants(t)
	d := atTheDoor(t, r.runtime)
	for _, method := range []string{"PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "DELETE", "PROPFIND", "MOVE", "get", "GETX", "POST"} {
		for _, address := range []string{"/v1/processes/ours-1", "/v1/streams", "/v1/nothing"} {
			a := d.ask(method+" "+address, shows("admin"), "Content-Type: application/json", "Content-Length: 0",
				"X-HTTP-Method-Override: DELETE", "Origin: http://localhost", "Access-Control-Request-Method: DELETE")
			require.Contains(t, []int{400, 404, 405, 415}, a.status, "%s %s: %s", method, address, a.body)
			require.NotContains(t, string(a.body), "Bearer", "TRACE repeats nothing")
			for name := range a.header {
				require.False(t, strings.HasPrefix(name, "Access-Control-"), name)
			}
		}
	}
	require.Equal(t, http.StatusOK, d.ask("GET /v1/processes/ours-1?_method=DELETE", shows("admin"), "X-HTTP-Method-Override: DELETE").status, "which is a GET")
}

func TestABrowserChangesNothingForAnotherSite(t *testing.T) {
	r := tenants(t)
	open := atTheDoor(t, r.runtime, func(o *api.Options) { o.RequireToken = false }) // as on a laptop: nobody is asked for a token
	post := "POST /v1/processes/theirs-2/cancel"
	for name, c := range map[string]struct {
		status int
		header []string
	}{
		"a form":                                 {http.StatusForbidden, []string{"Origin: http://evil.example", "Content-Type: application/x-www-form-urlencoded"}},
		"a script":                               {http.StatusForbidden, []string{"Origin: http://evil.example", "Content-Type: application/json", "Sec-Fetch-Site: cross-site"}},
		"a script of another port":               {http.StatusForbidden, []string{"Origin: http://localhost:3000", "Content-Type: application/json"}},
		"a page without an origin":               {http.StatusForbidden, []string{"Origin: null", "Content-Type: application/json"}},
		"a page of the same site, another host":  {http.StatusForbidden, []string{"Sec-Fetch-Site: same-site", "Content-Type: application/json"}},
		"an old browser: what it may send as is": {http.StatusUnsupportedMediaType, []string{"Content-Type: text/plain"}},
		"an old browser: a form of files":        {http.StatusUnsupportedMediaType, []string{"Content-Type: multipart/form-data; boundary=x"}},
		"an old browser: no type":                {http.StatusUnsupportedMediaType, nil},
	} {
		a := open.ask(post, append(c.header, "Content-Length: 0")...)
		require.Equal(t, c.status, a.status, "%s: %s", name, a.body)
	}
	read := open.ask("GET /v1/processes", "Origin: http://evil.example", "Sec-Fetch-Site: cross-site")
	require.Empty(t, read.header.Get("Access-Control-Allow-Origin"), "so that its browser keeps the answer from the page")
	require.Equal(t, "nosniff", read.header.Get("X-Content-Type-Options"))

	guarded := atTheDoor(t, r.runtime)
	require.Equal(t, http.StatusUnauthorized, guarded.ask(post, "Cookie: token=admin", "Content-Type: application/json", "Content-Length: 0").status, "a browser has no token to send")
}

func TestContentOfOthersIsNotRunByABrowser(t *testing.T) {
	r := tenants(t).as("theirs")
	_, err := r.client.Archive(t.Context(), another, wire.Asked{})
	require.NoError(t, err)
	ref := r.stored("<script>alert(1)</script>")
	for _, address := range []string{"/v1/blobs/" + ref.Key, "/v1/processes/theirs-1/outputs/loud/0", "/v1/processes/theirs-1/archive"} {
		for _, ranged := range []string{"", "bytes=0-3"} {
			a := r.do(http.MethodGet, address, nil, "Range", ranged)
			require.Less(t, a.status, 300, address)
			require.Equal(t, "application/octet-stream", a.header.Get("Content-Type"), address)
			require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"), address)
			require.Equal(t, "sandbox", a.header.Get("Content-Security-Policy"), address)
		}
	}
}

func TestANameThatWasReboundToThisMachineIsNotAnswered(t *testing.T) {
	open := atTheDoor(t, inMemory(t, nil).runtime, func(o *api.Options) {
		o.RequireToken = false
		o.Hosts = func(host string) bool { return host == "deed.example.org" }
	})
	for host, status := range map[string]int{
		"localhost": 200, "localhost:8420": 200, "127.0.0.1": 200, "127.0.0.1:8420": 200, "[::1]": 200, "[::1]:8420": 200, "LOCALHOST": 200,
		"deed.example.org": 200, "deed.example.org:8420": 200,
		"evil.example": 421, "evil.example:8420": 421, "127.0.0.1.evil.example": 421, "localhost.evil.example": 421, "evil.example#localhost": 400, "localhost@evil.example": 400,
		"10.0.0.1": 421, "0.0.0.0": 421, "[::]": 421, "2130706433": 421, "0x7f.1": 421, "x.deed.example.org": 421, "": 421,
	} {
		require.Equal(t, status, open.ask("GET /v1/version", "Host: "+host).status, "Host: %q", host)
	}
	for _, probe := range []string{"/healthz", "/readyz"} {
		require.NotEqual(t, http.StatusMisdirectedRequest, open.ask("GET "+probe, "Host: 10.1.2.3:8420").status, "probes name addresses")
	}
}

func TestWhatIsRepeatedInAnAnswerAddsNoHeader(t *testing.T) {
	r := tenants(t)
	d := atTheDoor(t, r.runtime)
	const evil = "%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a<script>"
	for _, address := range []string{
		"/v1/blobs/" + evil, "/v1/blobs/x" + evil, "/v1/processes/" + evil, "/v1/processes/" + evil + "/watch", "/v1/processes/" + evil + "/archive",
		"/v1/processes/ours-1/outputs/" + evil, "/v1/processes/ours-1/outputs/" + evil + "/0", "/v1/processes/ours-1/outputs/loud/" + evil,
		"/v1/streams/" + evil + "/commits", "/v1/feed?prefix=" + evil, "/v1/feed?after=" + evil, "/v1/processes?next=" + evil, "/v1/" + evil, "/v1/blobs?prefix=" + evil,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			a := d.ask(method+" "+address, shows("ours"), "Range: bytes=0-<script>", "Last-Event-ID: <script>")
			require.Empty(t, a.header.Get("Set-Cookie"), "%s %s", method, address)
			require.Contains(t, []string{"application/json", wire.ProblemType}, a.header.Get("Content-Type"), address)
			require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"), "%s: what a browser could run it shows as text", address)
		}
	}
	a := d.ask("GET /v1/processes", shows("ours"), "X-Evil: a\rSet-Cookie: a=b")
	require.Equal(t, http.StatusBadRequest, a.status)
}

func TestWhatIsTooLargeIsNotRead(t *testing.T) {
	t.Parallel()
	d := atTheDoor(t, inMemory(t, nil).runtime)
	endless := strings.Repeat(fmt.Sprintf("%x\r\n%s\r\n", 64<<10, strings.Repeat(" ", 64<<10)), 80) // 5 MiB, and no end
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"a body that says how large it is": {"POST /v1/processes HTTP/1.1\r\nHost: localhost\r\n" + shows("operator") + "\r\nContent-Type: application/json\r\nContent-Length: 1099511627776\r\n\r\n" + strings.Repeat(" ", 5<<20), 413},
		"one that does not":                {"POST /v1/processes HTTP/1.1\r\nHost: localhost\r\n" + shows("operator") + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + endless, 413},
		"a body without a token":           {"POST /v1/processes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1099511627776\r\n\r\n", 401},
		"one of a viewer":                  {"POST /v1/processes HTTP/1.1\r\nHost: localhost\r\n" + shows("viewer") + "\r\nContent-Type: application/json\r\nContent-Length: 1099511627776\r\n\r\n", 403},
		"a header":                         {"GET /v1/version HTTP/1.1\r\nHost: localhost\r\nX-Large: " + strings.Repeat("x", 100<<10) + "\r\n\r\n", 431},
		"many of them":                     {"GET /v1/version HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("X-Many: x\r\n", 20<<10) + "\r\n", 431},
		"a line":                           {"GET /" + strings.Repeat("x", 100<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431},
	} {
		answers := d.knock(c.request)
		require.Len(t, answers, 1, name)
		require.Equal(t, c.status, answers[0].status, "%s: %s", name, answers[0].body)
	}
}
