package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/natsproc"
)

func init() { natsproc.Serve() }

// machines is deed as it is deployed: three NATS nodes, orchestrators and
// workers, each a process on a machine of its own.
type machines struct {
	t      *testing.T
	dir    string // what they share: blobs, and the ledger of the handlers
	token  string
	nodes  []*node
	roles  []*machine
	hosts  map[string]*host
	server string // the addresses of the nodes
}

// node is a NATS server.
type node struct {
	*host
	*natsproc.Process
}

// machine is one with a process of the command. One that is killed is started again by whoever
// killed it, as its supervisor would.
type machine struct {
	*host
	name string
	args []string
	self string // the binary
	log  string // file
	env  []string
	cmd  *exec.Cmd
}

// newMachines starts the nodes and waits until they have found each other.
func newMachines(t *testing.T, orchestrators, workers int) *machines {
	t.Helper()
	names := []string{"nats1", "nats2", "nats3"}
	for i := range orchestrators {
		names = append(names, fmt.Sprintf("serve%d", i+1))
	}
	for i := range workers {
		names = append(names, fmt.Sprintf("worker%d", i+1))
	}
	_, hosts := newNetwork(t, names...)
	m := &machines{t: t, dir: t.TempDir(), token: "of these machines", hosts: hosts}
	var routes, urls []string
	for _, name := range names[:3] {
		routes = append(routes, hosts[name].address+":6222")
		urls = append(urls, "nats://"+hosts[name].address+":4222")
	}
	m.server = strings.Join(urls, ",")
	for _, name := range names[:3] {
		h := hosts[name]
		p, err := natsproc.Start(t.Context(), natsproc.Options{
			Dir: t.TempDir(), Listen: h.address + ":4222", Token: m.token, Under: h.on(),
			Node: &natsproc.Node{Name: name, Listen: h.address + ":6222", Routes: routes},
		})
		require.NoError(t, err)
		m.nodes = append(m.nodes, &node{h, p})
	}
	return m
}

// oneMachine is all of it on the machine of the test, with one NATS server.
func oneMachine(t *testing.T) *machines {
	t.Helper()
	m := &machines{t: t, dir: t.TempDir(), token: "of this machine"}
	p, err := natsproc.Start(t.Context(), natsproc.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: m.token})
	require.NoError(t, err)
	m.nodes, m.server = []*node{{Process: p}}, p.URL()
	return m
}

func (m *machines) blobs() string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(m.dir, "blobs"))}).String()
}

// start starts a role on its machine. self is the binary, "" this one.
func (m *machines) start(name, self string, args ...string) *machine {
	m.t.Helper()
	if self == "" {
		var err error
		self, err = os.Executable()
		require.NoError(m.t, err)
	}
	h := m.hosts[name]
	r := &machine{
		host: h, name: name, self: self, args: append(args, "--nats", m.server, "--blobs", m.blobs()), log: filepath.Join(m.dir, name+".log"),
		env: append(os.Environ(), beDeed+"=1", withSquares+"=1", "DEED_NATS_TOKEN="+m.token, "GOMAXPROCS=2"),
	}
	m.roles = append(m.roles, r)
	require.NoError(m.t, r.again(m.t.Context()))
	m.t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		if said, err := os.ReadFile(r.log); err == nil && m.t.Failed() {
			m.t.Logf("%s said:\n%s", name, tail(string(said), 4000))
		}
	})
	return r
}

// again starts it, or starts it again.
func (r *machine) again(ctx context.Context) error {
	log, err := os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	var args []string
	if r.host != nil {
		args = r.on()
	}
	args = append(slices.Clone(args), r.self)
	args = append(args, r.args...)
	r.cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = r.env, log, log
	return r.cmd.Start()
}

// kill ends it as a failing machine would.
func (r *machine) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait() // it ended by a signal: that is what was asked for
}

// leave ends it in good order.
func (r *machine) leave(t *testing.T) {
	t.Helper()
	require.NoError(t, r.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, r.cmd.Wait(), "%s did not leave in good order", r.name)
}

// client is a runtime on the machine of the test, once somebody serves.
func (m *machines) client() *deed.Runtime {
	m.t.Helper()
	for began := time.Now(); ; {
		r, err := deed.Open(m.t.Context(), deed.Options{Server: m.server, Token: m.token, Blobs: m.blobs()})
		if err == nil {
			m.t.Cleanup(r.Close)
			return r
		}
		var unreachable *deed.UnreachableError
		require.ErrorAs(m.t, err, &unreachable)
		require.Less(m.t, time.Since(began), time.Minute, "nobody serves: %v", err)
	}
}

func tail(text string, bytes int) string {
	if len(text) > bytes {
		return "…" + text[len(text)-bytes:]
	}
	return text
}
