//go:build unix

package nats_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/internal/natsproc"
)

func init() { natsproc.Serve() }

func TestCallsThatWaitForAServerEndWhenItDiesAndNotTenSecondsLater(t *testing.T) {
	p, err := natsproc.Start(t.Context(), natsproc.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "token"})
	require.NoError(t, err)
	nc, err := natsconn.Connect(t.Context(), p.URL(), "token", natsconn.ConnOptions{})
	require.NoError(t, err)
	defer nc.Close()
	d, err := eventsnats.Open(t.Context(), nc, eventsnats.Options{})
	require.NoError(t, err)
	s := events.New(d)
	_, err = s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)

	require.NoError(t, p.Signal(syscall.SIGSTOP)) // it takes requests, and answers none, but a moment later
	require.Eventually(t, func() bool { return nc.FlushTimeout(50*time.Millisecond) != nil }, 5*time.Second, time.Millisecond)
	before := nc.Stats().OutMsgs
	calls := map[string]func() error{
		"append":  func() error { _, err := s.Append(t.Context(), "a", events.Exactly(1), "c2", note("y")); return err },
		"version": func() error { _, err := s.Version(t.Context(), "b"); return err },
		"streams": func() error { _, err := s.Streams(t.Context(), ""); return err },
		"read": func() error {
			for _, err := range s.Read(t.Context(), "a", 0) {
				return err
			}
			return nil
		},
	}
	ended := make(chan error, len(calls))
	for _, call := range calls {
		go func() { ended <- call() }()
	}
	require.Eventually(t, func() bool { return nc.Stats().OutMsgs >= before+uint64(len(calls)) }, 5*time.Second, time.Millisecond)
	require.NoError(t, p.Kill())
	tooLong := time.After(5 * time.Second)
	for range calls {
		select {
		case err := <-ended:
			require.ErrorIs(t, err, events.ErrUnavailable)
		case <-tooLong:
			require.FailNow(t, "a call waits for an answer that cannot come")
		}
	}
}
