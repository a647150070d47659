package nats_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
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
	"github.com/deedrun/deed/internal/natsconn"
)

// member is a server of a cluster in this process.
type member struct {
	*server.Server
	options server.Options
}

// cluster is three servers, and the addresses for clients.
func cluster(t *testing.T) (servers []*member, urls []string) {
	t.Helper()
	ports := freePorts(t, 6)
	var routes []*url.URL
	for _, port := range ports[:3] {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	for i, port := range ports[:3] {
		m := &member{options: server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: ports[3+i], NoLog: true, NoSigs: true,
			JetStream: true, StoreDir: t.TempDir(), MaxPayload: natsconn.DefaultMaxPayload,
			Cluster: server.ClusterOpts{Name: "deed", Host: "127.0.0.1", Port: port}, Routes: routes,
		}}
		m.start(t)
		t.Cleanup(m.stop)
		servers, urls = append(servers, m), append(urls, m.ClientURL())
	}
	return servers, urls
}

// start starts it, or starts it again with what it had stored.
func (m *member) start(t *testing.T) {
	t.Helper()
	options := m.options // the server changes them
	s, err := server.NewServer(&options)
	require.NoError(t, err)
	s.Start()
	m.Server = s
}

func (m *member) stop() {
	m.Shutdown()
	m.WaitForShutdown()
}

func freePorts(t *testing.T, count int) []int {
	t.Helper()
	var ports []int
	for range count {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func TestCluster(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("elections take seconds")
	}
	servers, urls := cluster(t)
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
		servers[0].stop()
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
		servers[0].start(t)
		s := connected(urls...)
		const first, count = 40, 60
		for version := uint64(first); version < first+count; version++ {
			switch version - first {
			case 15:
				leader := leader(t, servers)
				gone := make(chan struct{})
				go func() { // with appends under way
					defer close(gone)
					leader.stop()
				}()
				defer func() { <-gone }()
				t.Cleanup(func() { <-gone })
			case 45:
				for _, m := range servers {
					if !m.Running() {
						m.WaitForShutdown()
						m.start(t)
					}
				}
			}
			require.NoError(t, try(s, version, fmt.Sprint(version)))
		}
		nc, err := natsconn.Connect(t.Context(), strings.Join(urls, ","), "", natsconn.ConnOptions{})
		require.NoError(t, err)
		defer nc.Close()
		for _, m := range servers {
			m.lead(t, nc)
			for version := uint64(first); version < first+count; version++ {
				want := fmt.Sprintf(`{"id":"%d","first":%d,"events":[{"type":"Noted","schema":0,"data":"%d"}]}`, version, version, version)
				require.Equal(t, want, m.message(t, nc, version+1), "on server %s", m.Name())
			}
		}
	})
}

// leader is the server that leads the log.
func leader(t *testing.T, servers []*member) *member {
	t.Helper()
	var found *member
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
func (m *member) lead(t *testing.T, nc *nats.Conn) {
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
func (m *member) message(t *testing.T, nc *nats.Conn, seq uint64) string {
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
