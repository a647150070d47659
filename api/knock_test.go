package api_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
)

// door is a server as roles run it, to be spoken to byte by byte.
type door struct {
	*testing.T
	*guests
	runtime *deed.Runtime
	address string
}

// atTheDoor serves a runtime on a listener of its own; change is for its options.
func atTheDoor(t *testing.T, r *deed.Runtime, change ...func(*api.Options)) *door {
	t.Helper()
	l, err := api.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	d := &door{T: t, guests: invited(), runtime: r, address: l.Addr().String()}
	o := api.Options{Runtime: r, Log: slog.New(slog.DiscardHandler), Access: d.guests, RequireToken: true, Beat: time.Minute}
	for _, c := range change {
		c(&o)
	}
	ctx, leave := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- api.Serve(ctx, l, api.New(o), o.Log) }()
	t.Cleanup(func() {
		leave()
		require.NoError(t, <-served)
	})
	return d
}

// knock sends what is given as it is, and reads all that is answered. Whoever
// answers has to end the connection, or each answer.
func (d *door) knock(request string) (answers []answer) {
	d.Helper()
	conn, err := (&net.Dialer{}).DialContext(d.Context(), "tcp", d.address)
	require.NoError(d, err)
	defer conn.Close()
	require.NoError(d, conn.SetDeadline(time.Now().Add(patience)))
	go func() { _, _ = io.WriteString(conn, request) }() // a server that refuses does not read all of it
	from := bufio.NewReader(conn)
	for {
		method, _, _ := strings.Cut(request, " ")
		resp, err := http.ReadResponse(from, &http.Request{Method: method})
		if err != nil {
			require.NotErrorIs(d, err, os.ErrDeadlineExceeded, "it neither answers nor ends")
			return answers
		}
		body, err := io.ReadAll(resp.Body)
		require.NoError(d, errors.Join(err, resp.Body.Close()))
		answers = append(answers, answer{resp.StatusCode, resp.Header, resp.ContentLength, body})
		if resp.Close {
			return answers
		}
	}
}

// ask sends a request of a line and some headers, and reads the one answer.
func (d *door) ask(line string, header ...string) answer {
	d.Helper()
	text := line + " HTTP/1.1\r\n"
	if !strings.Contains(strings.Join(header, "\n"), "Host:") {
		text += "Host: localhost\r\n"
	}
	for _, h := range header {
		text += h + "\r\n"
	}
	answers := d.knock(text + "Connection: close\r\n\r\n")
	require.Len(d, answers, 1, line)
	return answers[0]
}

// shows is the header of a token.
func shows(token string) string { return "Authorization: Bearer " + token }
