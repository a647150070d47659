package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/internal/tlstest"
	"github.com/deedrun/deed/queue"
	natsqueue "github.com/deedrun/deed/queue/nats"
	"github.com/deedrun/deed/task"
)

// lockedServers are a cluster whose configuration includes what `deed auth nats`
// wrote, with certificates of an authority of their own.
type lockedServers struct {
	keys string // the folder
	ca   string // the file
	urls []string
}

func (l lockedServers) key(role string) string { return filepath.Join(l.keys, role+".nk") }

func (l lockedServers) as(role string) deed.NATSCredentials {
	return deed.NATSCredentials{NKeyFile: l.key(role), CAFile: l.ca}
}

func newLockedServers(t *testing.T, pools ...string) lockedServers {
	t.Helper()
	l := lockedServers{keys: filepath.Join(t.TempDir(), "nats")}
	args := []string{"auth", "nats", "--out", l.keys}
	for _, pool := range pools {
		args = append(args, "--pool", pool)
	}
	var said strings.Builder
	require.Zero(t, execute(t.Context(), args, strings.NewReader(""), &said, &said), said.String())
	authority, certificates := tlstest.New(t), t.TempDir()
	l.ca = authority.File(t, certificates)
	certificate, key := authority.Issue(t, certificates, time.Now().Add(time.Hour), "127.0.0.1", "localhost")

	clients, routes := freeAddresses(t, 3), freeAddresses(t, 3)
	for i := range 3 {
		dir := t.TempDir()
		text := fmt.Sprintf(`
server_name: n%d
listen: %q
max_payload: 8MB
jetstream: {store_dir: %q}
tls: {cert_file: %q, key_file: %q}
cluster: {name: deed, listen: %q, routes: [%s]}
include "../accounts.conf"
`, i, clients[i], dir, certificate, key, routes[i], "nats://"+strings.Join(routes, ", nats://"))
		folder := filepath.Join(dir, "etc")
		require.NoError(t, os.Mkdir(folder, 0o700))
		accounts, err := os.ReadFile(filepath.Join(l.keys, "nats-accounts.conf"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "accounts.conf"), accounts, 0o600))
		file := filepath.Join(folder, "nats.conf")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		options, err := server.ProcessConfigFile(file)
		require.NoError(t, err)
		options.NoSigs, options.NoLog = true, true
		srv, err := server.NewServer(options)
		require.NoError(t, err)
		srv.Start()
		t.Cleanup(func() {
			srv.Shutdown()
			srv.WaitForShutdown()
		})
		l.urls = append(l.urls, "tls://"+clients[i])
	}
	return l
}

func freeAddresses(t *testing.T, n int) (all []string) {
	t.Helper()
	for range n {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		all = append(all, listener.Addr().String())
	}
	return all
}

var lockedJob = deed.MustParse(`
deed: v1
name: locked
inputs: [numbers]
params: {ledger: "", pause: 1ms}
steps:
  square: {run: machines/square, each: numbers, out: [squares]}
  copy: {run: [cp, ../in/squares, ../out/copies], each: squares, out: [copies], pool: gpu-2}
outputs: [copies]
`)

func TestWorkersWithKeysOfTheirOwnDoTheirWorkOnACluster(t *testing.T) {
	t.Parallel()
	l := newLockedServers(t, "gpu-2")
	m := &machines{t: t, dir: t.TempDir(), server: strings.Join(l.urls, ",")}
	known := func(role string) []string { return []string{"--nats-nkey", l.key(role), "--nats-ca", l.ca} }
	m.start("serve1", "", append([]string{"serve", "--listen", "127.0.0.1:0"}, known("orchestrator")...)...)
	m.start("worker1", "", append([]string{"autoscale", "--min", "1", "--max", "1", "--concurrency", "2", "--worker-nats-nkey", l.key("worker")}, known("orchestrator")...)...)
	m.start("worker2", "", append([]string{"worker", "--pool", "gpu-2", "--allow", "cp ../in/squares ../out/copies"}, known("worker-gpu-2")...)...)

	var client *deed.Runtime
	var err error
	require.Eventually(t, func() bool {
		client, err = deed.Open(t.Context(), deed.Options{Server: m.server, Blobs: m.blobs(), NATS: l.as("orchestrator")})
		return err == nil
	}, time.Minute, 100*time.Millisecond, "%v", err)
	defer client.Close()
	require.NoError(t, client.Submit(t.Context(), "p", deed.Job{
		Source: lockedJob, Inputs: map[string]deed.Input{"numbers": deed.Values(1, 2, 3)},
		Params: map[string]string{"ledger": filepath.Join(m.dir, "ledger")},
	}))
	result, err := client.Wait(t.Context(), "p", nil)
	require.NoError(t, err)
	require.NotNil(t, result)
	_, stall, _ := confirmations(t, client, "p")
	t.Logf("three tasks of each pool; the longest time without a confirmation was %s", stall.Round(time.Millisecond))
	for _, name := range []string{"serve1", "worker1", "worker2"} {
		said, err := os.ReadFile(filepath.Join(m.dir, name+".log"))
		require.NoError(t, err)
		require.NotContains(t, strings.ToLower(string(said)), "permission", "%s does nothing that it may not", name)
		require.NotContains(t, string(said), "may not", "%s does nothing that it may not", name)
	}

	// A worker's key is a thief's, who submits by the only way that he has.
	nc, err := natsconn.Connect(t.Context(), m.server, "", natsconn.ConnOptions{Credentials: natsconn.Credentials{NKeyFile: l.key("worker"), CAFile: l.ca}})
	require.NoError(t, err)
	defer nc.Close()
	inbox, err := natsqueue.OpenShardedOutlet(nc, natsqueue.Options{Name: "inbox"})
	require.NoError(t, err)
	command, err := json.Marshal(map[string]any{"type": "cancel-process", "data": map[string]any{"id": "q"}})
	require.NoError(t, err)
	body, err := json.Marshal(task.Envelope{Command: command, ReplyTo: "cancel"})
	require.NoError(t, err)
	require.NoError(t, inbox.Send(t.Context(), queue.Message{Lane: queue.Reports, Key: "p", Body: body}))
	quarantine, err := client.Quarantine()
	require.NoError(t, err)
	var bad []wire.Quarantined
	require.Eventually(t, func() bool {
		bad, err = quarantine.All(t.Context())
		return err == nil && len(bad) > 0
	}, 30*time.Second, 50*time.Millisecond)
	require.Contains(t, bad[0].Reason, "which is for workers' reports")
	sent, err := quarantine.Retry(t.Context(), bad[0].Number)
	require.NoError(t, err)
	require.True(t, sent)
	require.Eventually(t, func() bool {
		again, err := quarantine.All(t.Context())
		return err == nil && len(again) == 1 && again[0].Number != bad[0].Number
	}, 30*time.Second, 50*time.Millisecond, "sent again by a person it is no command either")
}

func TestARoleWithTheKeyOfAnotherEndsAndSaysWhatItMayNotDo(t *testing.T) {
	l := newLockedServers(t)
	place := []string{"--nats", strings.Join(l.urls, ","), "--blobs", "mem://", "--nats-ca", l.ca}
	run := func(args ...string) (code int, said string) {
		var out strings.Builder
		code = execute(t.Context(), append(args, place...), strings.NewReader(""), &out, &out)
		return code, out.String()
	}
	code, said := run("serve", "--listen", "127.0.0.1:0", "--nats-nkey", l.key("worker"))
	require.NotZero(t, code)
	require.Contains(t, said, "may not publish to $JS.API.STREAM.INFO.deed-work")
	require.Contains(t, said, "deed auth nats")

	stranger := filepath.Join(t.TempDir(), "nats")
	require.Zero(t, execute(t.Context(), []string{"auth", "nats", "--out", stranger}, strings.NewReader(""), &strings.Builder{}, &strings.Builder{}))
	code, said = run("worker", "--nats-nkey", filepath.Join(stranger, "worker.nk"))
	require.NotZero(t, code)
	require.Contains(t, said, "the server does not know this user")

	code, said = run("worker", "--nats-nkey", filepath.Join(stranger, "nats-accounts.conf"))
	require.NotZero(t, code)
	require.Contains(t, said, "it is no seed of an nkey")
}
