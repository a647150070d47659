package visits

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const line = `192.0.2.7 - ada [14/Nov/2026:06:25:24 +0100] "GET /a/b.html?x=%20y HTTP/1.1" 200 5316 "https://from.example:8443/x" "Say \"hello\" 1.0"` + "\n"

func TestALineSaysWhoAskedForWhat(t *testing.T) {
	r, err := ParseRequest(line, "own.example")
	require.NoError(t, err)
	require.Equal(t, Request{
		Visitor: "f6f5a132fa9b", Time: r.Time, Method: "GET", Path: "/a/b.html", Status: 200, Bytes: 5316, Referrer: "from.example",
	}, r)
	require.Equal(t, "2026-11-14T05:25:24Z", r.Time.UTC().Format(time.RFC3339))
	require.True(t, r.IsPage())
}

func TestWhatALineLeavesOutIsNothing(t *testing.T) {
	change := func(old, replacement string) Request {
		t.Helper()
		require.Contains(t, line, old)
		r, err := ParseRequest(strings.Replace(line, old, replacement, 1), "own.example")
		require.NoError(t, err)
		return r
	}
	require.Zero(t, change("5316", "-").Bytes)
	require.Empty(t, change("https://from.example:8443/x", "-").Referrer)
	require.Empty(t, change("from.example:8443", "own.example").Referrer, "links from here are no referrers")
	require.Empty(t, change("https://from.example:8443/x", "::").Referrer)
	require.True(t, change("Say", "Bot").Robot)
	require.False(t, change("GET", "POST").IsPage())
	require.False(t, change("200", "404").IsPage())
	require.False(t, change("/a/b", "/static/b").IsPage())
	require.True(t, change("200", "304").IsPage())
	require.NotEqual(t, change("192.0.2.7", "192.0.2.8").Visitor, change("Say", "Said").Visitor)
}

func TestALineThatMakesNoSenseIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "\n", "192.0.2.7", strings.Replace(line, "14/Nov", "99/Nov", 1), strings.Replace(line, "[", "", 1), strings.Replace(line, "] ", "", 1),
		strings.Replace(line, "GET ", "", 1), strings.Replace(line, " HTTP/1.1", "", 1), strings.Replace(line, "/a", "a", 1),
		strings.Replace(line, "200", "20", 1), strings.Replace(line, "200", "999", 1), strings.Replace(line, "5316", "-5", 1), strings.Replace(line, "5316", "much", 1),
		line[:70], line[:90], line[:len(line)-2], strings.Replace(line, `"GET /a/b.html?x=%20y HTTP/1.1"`, `"\x16\x03"`, 1),
	} {
		_, err := ParseRequest(text, "own.example")
		require.Error(t, err, "%q", text)
	}
	for n := range len(line) - 2 {
		_, err := ParseRequest(line[:n], "own.example")
		require.Error(t, err, "%q", line[:n])
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add(line)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRequest(text, "own.example")
		if err != nil {
			return
		}
		require.Len(t, r.Visitor, 12)
		require.True(t, strings.HasPrefix(r.Path, "/"))
		again, err := requestOf(r.row())
		require.NoError(t, err)
		r.Time, r.Robot = r.Time.UTC(), false
		require.Equal(t, r, again)
	})
}

func TestAPauseEndsASession(t *testing.T) {
	at := func(minute int, visitor, path string) Request {
		return Request{Visitor: visitor, Time: time.Date(2026, 11, 14, 23, minute, 0, 0, time.UTC), Method: "GET", Path: path, Status: 200, Bytes: 10}
	}
	var got []string
	s := sessions{gap: 30 * time.Minute, emit: func(s Session) error { got = append(got, strings.Join(s.row(), " ")); return nil }}
	require.NoError(t, s.end(), "none was begun")
	for _, r := range []Request{
		at(0, "a", "/1"), at(29, "a", "/static/x"), at(58, "a", "/2"), // less than half an hour each, and over midnight
		at(88, "a", "/3"), // half an hour
		at(88, "b", "/static/x"),
	} {
		require.NoError(t, s.add(r))
	}
	require.NoError(t, s.end())
	require.Equal(t, []string{
		"2026-11-14T23:00:00Z a 3 2 3480 30 /1 /2", "2026-11-15T00:28:00Z a 1 1 0 10 /3 /3", "2026-11-15T00:28:00Z b 1 0 0 10  ",
	}, got)
}
