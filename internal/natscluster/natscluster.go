// Package natscluster is three NATS servers of a cluster in this process, for
// tests. They have the settings of a nats-server: in a cluster it is the replicas
// that keep what was acknowledged. Package natsproc has servers that can be killed.
package natscluster

import (
	"fmt"
	"net"
	"net/url"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsconn"
)

// Server is a server of the cluster.
type Server struct {
	*server.Server
	options server.Options
}

// Start starts three servers, which end with the test, and returns them with
// their addresses. That they have found each other is for who uses them to await.
func Start(t testing.TB) (servers []*Server, urls []string) {
	t.Helper()
	ports := freePorts(t, 6)
	var routes []*url.URL
	for _, port := range ports[:3] {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	for i, port := range ports[:3] {
		s := &Server{options: server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: ports[3+i], NoLog: true, NoSigs: true,
			JetStream: true, StoreDir: t.TempDir(), MaxPayload: natsconn.DefaultMaxPayload,
			Cluster: server.ClusterOpts{Name: "deed", Host: "127.0.0.1", Port: port}, Routes: routes,
		}}
		s.Again(t)
		t.Cleanup(s.Stop)
		servers, urls = append(servers, s), append(urls, s.ClientURL())
	}
	return servers, urls
}

// Again starts a server that was stopped, with what it had stored.
func (s *Server) Again(t testing.TB) {
	t.Helper()
	options := s.options // the server changes them
	started, err := server.NewServer(&options)
	require.NoError(t, err)
	started.Start()
	s.Server = started
}

// Stop stops it in good order, and returns when that is done.
func (s *Server) Stop() {
	s.Shutdown()
	s.WaitForShutdown()
}

func freePorts(t testing.TB, count int) (ports []int) {
	t.Helper()
	for range count {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		address, ok := l.Addr().(*net.TCPAddr)
		require.True(t, ok)
		ports = append(ports, address.Port)
	}
	return ports
}
