package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestARequestThatCanBeReadInTwoWaysIsRefused(t *testing.T) {
	d := atTheDoor(t, inMemory(t, nil).runtime)
	const smuggled = "GET /v1/processes HTTP/1.1\r\nHost: localhost\r\n\r\n"
	lines := func(all ...string) string {
		return strings.Join(append([]string{"POST /v1/gc HTTP/1.1", "Host: localhost", shows("admin"), "Content-Type: application/json"}, all...), "\r\n") + "\r\n\r\n"
	}
	for name, request := range map[string]string{
		"two lengths":                     lines("Content-Length: 2", "Content-Length: 50") + "{}" + smuggled,
		"two lengths in one":              lines("Content-Length: 2, 50") + "{}" + smuggled,
		"a length that is signed":         lines("Content-Length: +2") + "{}" + smuggled,
		"a length below none":             lines("Content-Length: -1") + smuggled,
		"a length in hexadecimal":         lines("Content-Length: 0x2") + "{}" + smuggled,
		"a length that has no end":        lines("Content-Length: 99999999999999999999") + "{}" + smuggled,
		"a coding that is none":           lines("Transfer-Encoding: xchunked") + "0\r\n\r\n" + smuggled,
		"two codings":                     lines("Transfer-Encoding: gzip, chunked") + "0\r\n\r\n" + smuggled,
		"a coding said twice":             lines("Transfer-Encoding: chunked", "Transfer-Encoding: identity") + "0\r\n\r\n" + smuggled,
		"a space before the colon":        lines("Content-Length : 2") + "{}" + smuggled,
		"a name that is none":             lines("Transfer\x00Encoding: chunked") + smuggled,
		"a value that is none":            lines("X-A: b\x00c") + smuggled,
		"no host":                         "GET /v1/version HTTP/1.1\r\n" + shows("admin") + "\r\n\r\n" + smuggled,
		"two hosts":                       "GET /v1/version HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n" + shows("admin") + "\r\n\r\n" + smuggled,
		"a version that is none":          "GET /v1/version HTTP/9.9\r\nHost: localhost\r\n\r\n" + smuggled,
		"no version":                      "GET /v1/version\r\n\r\n" + smuggled,
		"a line that is no request":       "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" + smuggled,
		"a chunk whose size is none":      lines("Transfer-Encoding: chunked") + "zz\r\n{}\r\n0\r\n\r\n" + smuggled,
		"a chunk larger than its content": lines("Transfer-Encoding: chunked") + "3\r\n{}\r\n0\r\n\r\n" + smuggled,
	} {
		t.Run(name, func(t *testing.T) {
			answers := d.on(t).knock(request)
			require.LessOrEqual(t, len(answers), 1, "what follows is no request")
			for _, a := range answers {
				require.Contains(t, []int{http.StatusBadRequest, http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, http.StatusRequestTimeout}, a.status, "%s", a.body)
			}
		})
	}
}

// What says its length in both ways is read by its chunks, as RFC 9112 has it.
// If a proxy on the way went by the length, what it took for content is a
// request of its own here: one that shows no token.
func TestWhatFollowsARequestHasNoneOfItsRights(t *testing.T) {
	d := atTheDoor(t, inMemory(t, nil).runtime)
	const smuggled = "GET /v1/processes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	for name, rest := range map[string]string{
		"a length beside chunks":  "Content-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"a length that goes on":   "Content-Length: 2\r\n \r\n\r\n{}",
		"a length in another one": "X-A: b\r\n Content-Length: 100\r\nContent-Length: 2\r\n\r\n{}",
	} {
		answers := d.knock("POST /v1/gc HTTP/1.1\r\nHost: localhost\r\n" + shows("admin") + "\r\nContent-Type: application/json\r\n" + rest + smuggled)
		require.Len(t, answers, 2, name)
		require.Equal(t, http.StatusOK, answers[0].status, "%s: %s", name, answers[0].body)
		require.Equal(t, http.StatusUnauthorized, answers[1].status, name)
	}
}

func (d *door) on(t *testing.T) *door {
	t.Helper()
	other := *d
	other.T = t
	return &other
}
