// Package cloudtest starts servers that speak the protocols of clouds, for
// tests: versitygw for S3, fake-gcs-server for Google Cloud Storage, Azurite for
// Azure. They are looked for in PATH, and in the folder bin of the module, where
// .ci/run installs them; without one a test skips, and says how to install it.
//
// Each test has a server of its own, on loopback, which ends with the test; but
// parallel ones share Azurite. A [Proxy] before it makes trouble. The servers are
// not the clouds: docs/blobs.md says where they are known to differ.
//
// Clients learn of a server by the environment of the process, Google's also where
// it is: so tests may be parallel, and those of Google wait for each other.
package cloudtest

import (
	"bytes"
	"context"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	crand "crypto/rand"

	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"
)

// Server is a running server, or the way to it through a proxy.
type Server struct {
	kind
	real string // host:port of the server

	// Repeats says that the server stores a piece of a large blob again that a
	// client sends again, which the cloud it stands for does not.
	Repeats bool

	at string // where clients are to go
}

// kind is what is different from cloud to cloud.
type kind struct {
	name   string
	env    map[string]string // what a client needs, but for the address
	make   func(t testing.TB, address, bucket string)
	url    func(address, bucket string) string
	raw    func(t testing.TB, address, bucket string) *gcblob.Bucket
	signed bool // requests, with the host that they are for
	ready  func(address string) error
	where  string // variable that holds the address, if the URL does not
}

// Env is the environment that a client needs, as of os.Environ.
func (s *Server) Env() []string {
	var all []string
	for name, value := range s.variables() {
		all = append(all, name+"="+value)
	}
	return all
}

func (s *Server) variables() map[string]string {
	all := maps.Clone(s.env)
	if s.where != "" {
		if all == nil {
			all = map[string]string{}
		}
		all[s.where] = s.at
	}
	return all
}

// Bucket makes an empty bucket, and returns its name.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name := "test-" + strings.ToLower(crand.Text())[:12]
	s.make(t, s.real, name)
	return name
}

// URL is that of a bucket, for blob.Open, in an environment with Env.
func (s *Server) URL(bucket string) string { return s.url(s.at, bucket) }

// Raw is a bucket without a store before it, and without a proxy.
func (s *Server) Raw(t testing.TB, bucket string) *gcblob.Bucket {
	t.Helper()
	b := s.raw(t, s.real, bucket)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// start runs a command that serves on the address, until the test ends.
func start(t testing.TB, k kind, env []string, command func(address string) []string) *Server {
	t.Helper()
	if k.where != "" {
		alone.Lock()
		t.Cleanup(alone.Unlock)
	}
	s, stop := launch(t, k, env, command)
	t.Cleanup(stop)
	s.setenv(t)
	return s
}

// launch runs a command that serves on the address, until stop is called.
func launch(t testing.TB, k kind, env []string, command func(address string) []string) (s *Server, stop func()) {
	t.Helper()
	address := freeAddress(t)
	args := command(address)
	var said bytes.Buffer
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	stop = func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	s = &Server{kind: k, real: address, at: address}
	answers := false
	defer func() {
		if !answers {
			stop()
		}
	}()
	s.await(t, ended, &said)
	answers = true
	return s, stop
}

// shared is a server that takes long to start: tests that are parallel use one.
type shared struct {
	mu    sync.Mutex
	users int
	one   *Server
	stop  func()
}

// use is the server, which ends with the last test that uses it.
func (h *shared) use(t testing.TB, launch func() (*Server, func())) *Server {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users == 0 {
		h.one, h.stop = launch()
	}
	h.users++
	t.Cleanup(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.users--; h.users == 0 {
			h.stop()
		}
	})
	s := *h.one
	s.setenv(t)
	return &s
}

// await returns when the server answers.
func (s *Server) await(t testing.TB, ended <-chan struct{}, said *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for s.ready(s.real) != nil {
		select {
		case <-ended:
			require.FailNow(t, s.name+" ended", said.String())
		case <-ctx.Done():
			require.FailNow(t, s.name+" does not answer at "+s.real)
		case <-tick.C:
		}
	}
}

// accepts is nil when something listens.
func accepts(address string) error {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// program finds an executable, or skips the test.
func program(t testing.TB, name, inBin, install string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	path := filepath.Join(module(), "bin", inBin)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is neither in PATH nor in the folder bin of the module; to install it there: %s", name, install)
	}
	return path
}

// module is the folder of go.mod, above that of the test; else ".".
func module() string {
	folder, err := os.Getwd()
	for err == nil && folder != filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		folder = filepath.Dir(folder)
	}
	return "."
}
