// Package esdbtest is a test double of EventStoreDB: a server in memory that
// speaks its gRPC protocol as far as its Go client uses it to connect, append,
// read, subscribe and delete.
//
// It is not EventStoreDB. What it does follows the protocol's description, the
// client's source and what is documented of the server, and where those are
// silent it is a guess. It is here to run the real client through faults that a
// real server has seldom: connections cut in the middle of an append, a leader
// that changes, answers that do not come. It listens on loopback only.
package esdbtest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// Options describe a server. The zero value is one without TLS and users.
type Options struct {
	MaxAppend int    // bytes of one append, metadata counted; 0: 1 MiB, as EventStoreDB has it
	Version   string // 0: 24.10.0
	TLSDir    string // not empty: serve TLS, with a certificate whose authority is written to this folder
	User      string // not empty: refuse everybody else, with Password; needs TLS, or the client sends none
	Password  string
}

// Server is a node. A cluster is several nodes over one log, see [Server.Join].
type Server struct {
	faults
	options Options
	cluster *cluster
	address string // once it is known
	caFile  string
	tls     *tls.Config

	mu      sync.Mutex
	running *grpc.Server
	conns   *listener
	stopped chan struct{} // closed by Stop, so that streams end
}

// Start starts a server with an empty log, alone in its cluster.
func Start(o Options) (*Server, error) {
	if o.MaxAppend == 0 {
		o.MaxAppend = 1 << 20
	}
	if o.Version == "" {
		o.Version = "24.10.0"
	}
	c := &cluster{log: newLog(time.Now), changed: make(chan struct{})}
	s, err := c.node(o)
	if err != nil {
		return nil, err
	}
	c.lead(s)
	return s, nil
}

// Join starts another node over the same log, which follows.
func (s *Server) Join() (*Server, error) { return s.cluster.node(s.options) }

func (c *cluster) node(o Options) (*Server, error) {
	s := &Server{options: o, cluster: c}
	if o.TLSDir != "" {
		var err error
		if s.tls, s.caFile, err = certificate(o.TLSDir); err != nil {
			return nil, err
		}
	}
	if err := s.listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	c.join(s)
	return s, nil
}

// Address is host:port.
func (s *Server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// URL is what a client connects to.
func (s *Server) URL() string {
	u := url.URL{Scheme: "esdb", Host: s.Address()}
	if s.options.User != "" {
		u.User = url.UserPassword(s.options.User, s.options.Password)
	}
	if s.tls == nil {
		u.RawQuery = "tls=false"
	} else {
		u.RawQuery = url.Values{"tls": {"true"}, "tlsCaFile": {s.caFile}}.Encode()
	}
	return u.String()
}

// Stop ends the server and cuts its connections. The log stays.
func (s *Server) Stop() {
	s.mu.Lock()
	running := s.running
	s.running = nil
	if running != nil {
		close(s.stopped)
	}
	s.mu.Unlock()
	if running != nil {
		running.Stop()
	}
}

// Restart stops the server, if it runs, and starts it on the same port. Whoever
// connects to somewhere in between may be given that port for a moment, so it is
// tried for a while.
func (s *Server) Restart() error {
	s.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := s.listen(s.Address())
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// Move stops the server, if it runs, and starts it on another port.
func (s *Server) Move() error {
	s.Stop()
	return s.listen("127.0.0.1:0")
}

// Cut cuts all connections; new ones are taken.
func (s *Server) Cut() {
	s.mu.Lock()
	l := s.conns
	s.mu.Unlock()
	l.cut("")
}

func (s *Server) listen(address string) error {
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("start a double of EventStoreDB: %w", err)
	}
	options := []grpc.ServerOption{
		// The client pings every ten seconds, also when it waits for nothing.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		grpc.MaxRecvMsgSize(17 << 20),
		grpc.WaitForHandlers(true),
	}
	if s.tls != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(s.tls)))
	}
	g := grpc.NewServer(options...)
	n := &node{server: s}
	streams.RegisterStreamsServer(g, n)
	serverfeatures.RegisterServerFeaturesServer(g, &features{server: s})
	gossip.RegisterGossipServer(g, &members{server: s})

	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = make(chan struct{})
	s.running, s.conns, s.address = g, newListener(l), l.Addr().String()
	n.stopped, n.conns = s.stopped, s.conns
	conns := s.conns
	go func() { _ = g.Serve(conns) }() // it ends with Stop, and says so
	return nil
}

// listener remembers its connections, so that they can be cut.
type listener struct {
	net.Listener
	mu   sync.Mutex
	open map[string]net.Conn // by the address of the other end
}

func newListener(l net.Listener) *listener {
	return &listener{Listener: l, open: map[string]net.Conn{}}
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c.RemoteAddr().String()] = c
	return &tracked{Conn: c, of: l}, nil
}

// cut closes the connection from an address, or all of them.
func (l *listener) cut(from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for address, c := range l.open {
		if from == "" || from == address {
			_ = c.Close() // its end is what is wanted
		}
	}
}

type tracked struct {
	net.Conn
	of *listener
}

func (t *tracked) Close() error {
	t.of.mu.Lock()
	delete(t.of.open, t.RemoteAddr().String())
	t.of.mu.Unlock()
	return t.Conn.Close()
}
