package nats_test

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
)

// cluster is three servers in this process, and the addresses for clients.
func cluster(t *testing.T) (servers []*server.Server, urls []string) {
	t.Helper()
	ports := freePorts(t, 3)
	var routes []*url.URL
	for _, port := range ports {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
			JetStream: true, StoreDir: t.TempDir(), MaxPayload: natsconn.DefaultMaxPayload,
			Cluster: server.ClusterOpts{Name: "deed", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		require.NoError(t, err)
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers, urls = append(servers, s), append(urls, s.ClientURL())
	}
	return servers, urls
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
		servers[0].Shutdown()
		servers[0].WaitForShutdown()
		for version := uint64(30); version < 40; version++ {
			require.NoError(t, try(s, version, fmt.Sprint(version)))
		}
		for version := range uint64(40) {
			c, _, err := sub.Next(t.Context(), true)
			require.NoError(t, err)
			require.Equal(t, version, c.First)
		}
	})
}
