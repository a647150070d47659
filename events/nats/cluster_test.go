package nats_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natscluster"
	"github.com/deedrun/deed/internal/natsconn"
)

func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("elections take seconds")
	}
	servers, urls := natscluster.Start(t)
	connected := func(urls ...string) *events.Store {
		nc, err := natsconn.Connect(t.Context(), strings.Join(urls, ","), "", natsconn.ConnOptions{})
		require.NoError(t, err)
		t.Cleanup(nc.Close)
		d, err := eventsnats.Open(t.Context(), nc, eventsnats.Options{Replicas: 3})
		require.NoError(t, err)
		return events.New(d)
	}
	stores := []*events.Store{connected(urls[0]), connected(urls[1]), connected(urls[2])}
	// try is an append by the rules: while it is unavailable it is repeated.
	try := func(s *events.Store, version uint64, id string) error {
		for {
			_, err := s.Append(t.Context(), "a", events.Exactly(version), id, note(id))
			if !errors.Is(err, events.ErrUnavailable) {
				return err
			}
		}
	}

	t.Run("on three replicas, of many who append at one version exactly one wins, and every replica reads what was acknowledged", func(t *testing.T) {
		for version := range uint64(30) {
			won := make(chan string, 9)
			var wg sync.WaitGroup
			for r := range 9 {
				wg.Go(func() {
					id := fmt.Sprintf("%d-%d", version, r)
					err := try(stores[r%3], version, id)
					var lost *events.ConflictError
					if err == nil {
						won <- id
					} else if !errors.As(err, &lost) {
						assert.NoError(t, err)
					}
				})
			}
			wg.Wait()
			close(won)
			require.Len(t, won, 1, "version %d", version)
			winner := <-won
			for _, s := range stores {
				count := uint64(0)
				var last events.Event
				for e, err := range s.Read(t.Context(), "a", 0) {
					require.NoError(t, err)
					last = e
					count++
				}
				require.Equal(t, version+1, count)
				require.Equal(t, winner, last.Commit)
				require.Equal(t, map[string]string{"a": fmt.Sprint(winner, " at ", version+1)}, ends(t, s, ""))
			}
		}
	})

	t.Run("when a server goes, nothing is lost and appends go on", func(t *testing.T) {
		s := connected(urls...)
		sub, err := s.Subscribe(t.Context(), "", 0)
		require.NoError(t, err)
		defer sub.Stop()
		servers[0].Stop()
		for version := uint64(30); version < 40; version++ {
			require.NoError(t, try(s, version, fmt.Sprint(version)))
		}
		for version := range uint64(40) {
			c, _, err := sub.Next(t.Context(), true)
			require.NoError(t, err)
			require.Equal(t, version, c.First)
		}
	})

	t.Run("what was acknowledged while a server went is on those that stayed, and on the one that came back", func(t *testing.T) {
		servers[0].Again(t)
		s := connected(urls...)
		const first, count = 40, 60
		for version := uint64(first); version < first+count; version++ {
			switch version - first {
			case 15:
				leader := leader(t, servers)
				gone := make(chan struct{})
				go func() { // with appends under way
					defer close(gone)
					leader.Stop()
				}()
				defer func() { <-gone }()
				t.Cleanup(func() { <-gone })
			case 45:
				for _, m := range servers {
					if !m.Running() {
						m.WaitForShutdown()
						m.Again(t)
					}
				}
			}
			require.NoError(t, try(s, version, fmt.Sprint(version)))
		}
		nc, err := natsconn.Connect(t.Context(), strings.Join(urls, ","), "", natsconn.ConnOptions{})
		require.NoError(t, err)
		defer nc.Close()
		for _, m := range servers {
			lead(t, m, nc)
			for version := uint64(first); version < first+count; version++ {
				want := fmt.Sprintf(`{"id":"%d","first":%d,"events":[{"type":"Noted","schema":0,"data":"%d"}]}`, version, version, version)
				require.Equal(t, want, message(t, nc, version+1), "on server %s", m.Name())
			}
		}
	})
}

// leader is the server that leads the log.
func leader(t *testing.T, servers []*natscluster.Server) *natscluster.Server {
	t.Helper()
	var found *natscluster.Server
	require.Eventually(t, func() bool {
		for _, m := range servers {
			if m.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, "DEED_EVENTS") {
				found = m
				return true
			}
		}
		return false
	}, 30*time.Second, 20*time.Millisecond)
	return found
}

// lead makes a server the one that answers for the log, as soon as it has all
// of it.
func lead(t *testing.T, m *natscluster.Server, nc *nats.Conn) {
	t.Helper()
	require.Eventually(t, func() bool {
		if m.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, "DEED_EVENTS") {
			return true
		}
		_, _ = nc.Request("$JS.API.STREAM.LEADER.STEPDOWN.DEED_EVENTS", fmt.Appendf(nil, `{"placement":{"preferred":%q}}`, m.Name()), time.Second)
		return false
	}, 30*time.Second, 200*time.Millisecond)
}

// message is what the leader has at a sequence.
func message(t *testing.T, nc *nats.Conn, seq uint64) string {
	t.Helper()
	answer, err := nc.Request("$JS.API.STREAM.MSG.GET.DEED_EVENTS", fmt.Appendf(nil, `{"seq":%d}`, seq), 5*time.Second)
	require.NoError(t, err)
	var reply struct {
		Message struct {
			Data []byte `json:"data"`
		} `json:"message"`
	}
	require.NoError(t, json.Unmarshal(answer.Data, &reply))
	return string(reply.Message.Data)
}
