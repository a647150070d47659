// Package natsconn is what the NATS backends share: a server inside the
// process ([Start]), a connection that comes back by itself ([Connect]), and
// streams whose settings are checked before anything relies on them
// ([EnsureStream]).
package natsconn

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// DefaultMaxPayload is the largest message, in bytes, that a started server
// takes unless told otherwise.
const DefaultMaxPayload = 8 << 20

// ServerOptions are the settings of an embedded server. Only Dir is required.
type ServerOptions struct {
	Dir           string       // where streams are stored; created if missing; one server at a time
	Listen        string       // host:port; empty: 127.0.0.1 and any free port
	Prefer        string       // host:port to listen on if nobody else does; for clients that know an earlier server. Only without Listen
	InProcessOnly bool         // no listener at all: only Server.Connect reaches it
	Token         string       // what clients must present; empty: a random one, see Server.Token
	MaxPayload    int          // largest message in bytes; 0: DefaultMaxPayload
	NoSync        bool         // acknowledge before the disk has it: faster, and a power cut may take acknowledged messages
	Log           *slog.Logger // warnings and errors of the server; nil: dropped
}

// Server is a NATS server with JetStream that runs inside this process.
//
// Unless NoSync is set, every message is on disk before it is acknowledged. A
// stream whose config says AsyncPersistMode opts out of that for itself.
type Server struct {
	srv    *server.Server
	lock   *flock.Flock
	token  string
	listen bool
	dir    string
	ready  bool // it recovered everything
}

// Start starts a server and returns when it takes connections and has
// recovered every stream in its directory. A directory that another server
// holds, or that holds a stream which cannot be recovered or has lost messages
// since a server last closed, is an error.
func Start(o ServerOptions) (*Server, error) {
	opts, err := serverOptions(o)
	if err != nil {
		return nil, fmt.Errorf("start server in %q: %w", o.Dir, err)
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("start server in %q: %w", o.Dir, err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start server in %q: %w", o.Dir, err)
	}
	if o.Listen == "" && free(o.Prefer) { // asked under the lock: no other server of this directory asks
		if err := listenOn(opts, o.Prefer); err != nil {
			return nil, errors.Join(fmt.Errorf("start server in %q: %w", o.Dir, err), lock.Unlock())
		}
	}
	s := &Server{lock: lock, token: opts.Authorization, listen: !o.InProcessOnly, dir: o.Dir}
	if err := s.start(opts, o.Log); err != nil {
		s.Close()
		return nil, fmt.Errorf("start server in %q: %w", o.Dir, err)
	}
	return s, nil
}

func serverOptions(o ServerOptions) (*server.Options, error) {
	if o.Dir == "" {
		return nil, errors.New("no directory given: streams need one to be stored in")
	}
	if o.MaxPayload < 0 || o.MaxPayload > math.MaxInt32 {
		return nil, fmt.Errorf("largest message of %d bytes: give 1 to %d", o.MaxPayload, math.MaxInt32)
	}
	opts := &server.Options{
		ServerName:             "deed",
		DontListen:             o.InProcessOnly,
		NoSigs:                 true,
		DisableJetStreamBanner: true,
		Authorization:          o.Token,
		MaxPayload:             int32(o.MaxPayload),
		JetStream:              true,
		StoreDir:               o.Dir,
		SyncAlways:             !o.NoSync,
		// The limit is the disk, and a full disk is an error where it happens. The
		// server's own default would refuse writes at a share of what was free at
		// its start.
		JetStreamMaxStore: 1 << 60,
	}
	if opts.MaxPayload == 0 {
		opts.MaxPayload = DefaultMaxPayload
	}
	// A client may lag by a few of the largest messages before it is cut off.
	opts.MaxPending = max(64<<20, 4*int64(opts.MaxPayload))
	if opts.Authorization == "" {
		opts.Authorization = rand.Text()
	}
	return opts, listenOn(opts, cmp.Or(o.Listen, "127.0.0.1:0"))
}

func listenOn(opts *server.Options, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen on %q: write the address as host:port, such as 127.0.0.1:4222", address)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("listen on %q: %q is no port number (0 to 65535)", address, port)
	}
	opts.Host, opts.Port = host, int(number)
	if number == 0 {
		opts.Port = server.RANDOM_PORT
	}
	return nil
}

// free reports whether an address can be listened on right now.
func free(address string) bool {
	if address == "" {
		return false
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	return err == nil && l.Close() == nil
}

func (s *Server) start(opts *server.Options, log *slog.Logger) error {
	stored, tails := storedStreams(opts.StoreDir), readTails(s.dir)
	if err := checkFiles(s.dir, tails); err != nil {
		return err
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	s.srv = srv
	record := newRecorder(log)
	srv.SetLoggerV2(record, false, false, false)
	srv.Start()
	if err := record.fatal(); err != nil {
		return err
	}
	if !srv.ReadyForConnections(30 * time.Second) {
		return fmt.Errorf("not ready after 30s; the server said: %s", record.said())
	}
	// The server only warns of a stream that it cannot read, and would go on as
	// if the stream had never been there.
	if lost := missing(srv, stored); len(lost) > 0 {
		return fmt.Errorf("stream %s is on disk but cannot be recovered: restore the directory from a copy; the server said: %s",
			strings.Join(lost, ", "), record.said())
	}
	if err := checkTails(srv, s.dir, tails); err != nil {
		return err
	}
	s.ready = true
	writeTails(srv, s.dir) // the next one may find that this one was killed
	record.started()
	if s.listen {
		// The lock's holder is named to whoever tries next; that it could not be
		// written down takes nothing but that name.
		_ = os.WriteFile(s.lock.Path(), fmt.Appendf(nil, "process %d at %s", os.Getpid(), s.URL()), 0o644)
	} else {
		_ = os.WriteFile(s.lock.Path(), fmt.Appendf(nil, "process %d", os.Getpid()), 0o644)
	}
	return nil
}

// URL is the address for clients on this machine or, when the server listens
// on all interfaces, the loopback one. It is empty for an in-process server.
func (s *Server) URL() string {
	if !s.listen {
		return ""
	}
	addr, ok := s.srv.Addr().(*net.TCPAddr)
	if !ok {
		return s.srv.ClientURL()
	}
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "nats://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}

// Token is what Connect needs beside the URL.
func (s *Server) Token() string { return s.token }

// Connect is a connection to the server that uses no network. The caller
// closes it, before it closes the server.
func (s *Server) Connect(o ConnOptions) (*nats.Conn, error) {
	opts := append(connOptions(s.token, o), nats.InProcessServer(s.srv))
	nc, err := nats.Connect("", opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to the server in this process: %w", err)
	}
	return nc, nil
}

// Close stops the server in order and returns when everything is on disk and
// the directory is free for the next one. Closing twice is harmless.
func (s *Server) Close() {
	if s.srv != nil {
		if s.ready {
			writeTails(s.srv, s.dir)
		}
		s.srv.Shutdown()
		s.srv.WaitForShutdown()
	}
	_ = s.lock.Unlock() // the descriptor is gone with or without an error
}
