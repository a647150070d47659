package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/esdbtest"
)

// composed is what compose.yaml says, run as processes of this machine: the same
// command lines and environments, with addresses and paths of here.
type composed struct {
	t    *testing.T
	file composeFile
	dir  string            // the copy of deploy/
	at   map[string]string // host:port of a service inside → here
	self string

	nodes []*natsserver.Server
}

// TestTheServicesOfComposeDoAJobTogether runs the command lines of compose.yaml
// with the credentials that ./prepare makes: three NATS nodes with TLS and keys,
// the double of EventStoreDB, versitygw if it is in PATH (else blobs are files),
// two orchestrators and two workers.
func TestTheServicesOfComposeDoAJobTogether(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is missing: deploy/credentials makes certificates with it")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	c := &composed{t: t, file: readCompose(t), dir: t.TempDir(), at: map[string]string{}, self: self}
	c.prepare()
	for i := range 3 {
		c.at[fmt.Sprintf("nats-%d:6222", i)] = freeAddress(t)
		c.at[fmt.Sprintf("nats-%d:4222", i)] = freeAddress(t)
	}
	for i := range 3 {
		c.node(i)
	}
	store, err := esdbtest.Start(esdbtest.Options{})
	require.NoError(t, err)
	t.Cleanup(store.Stop)
	c.at["events:2113"] = store.Address()
	c.blobs()

	one := c.role("deed-1", "0.0.0.0:8420", "0.0.0.0:9464")
	two := c.role("deed-2", "0.0.0.0:8420", "0.0.0.0:9464")
	first := c.role("worker", "0.0.0.0:9464")
	c.role("worker", "0.0.0.0:9464")
	for _, r := range []map[string]string{one, two, first} {
		c.healthy(r)
	}

	ask := func(server string, args ...string) ([]byte, error) {
		cmd := c.command(append(args, "--server=https://"+server, "--ca-file="+c.path("compose/credentials/ca.crt"))...)
		token, err := os.ReadFile(c.path("compose/credentials/admin-token"))
		require.NoError(t, err)
		cmd.Env = append(cmd.Env, "DEED_TOKEN="+strings.TrimSpace(string(token)))
		return cmd.CombinedOutput()
	}
	out, err := ask(one["0.0.0.0:8420"], "submit", "../../examples/wordcount/process.yaml", "--in=corpus=../../examples/wordcount/corpus",
		"--id=composed", "--wait", "--out="+filepath.Join(c.dir, "out"))
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "composed completed")
	out, err = ask(two["0.0.0.0:8420"], "ps")
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `composed +word-count +completed +3/3 +75/75`, string(out))

	c.shows(readManifests(t).named(t, "ScaledObject", "deed-worker").Spec.Triggers[0].Metadata)
	out, err = c.command("ps", "--server=https://"+one["0.0.0.0:8420"], "--ca-file="+c.path("compose/credentials/ca.crt")).CombinedOutput()
	require.Error(t, err, "without a token")
	require.Contains(t, string(out), "token")
	require.Contains(t, c.scrape(first["0.0.0.0:9464"], c.path("compose/credentials/metrics-token")), "deed_worker_slots 4")
	require.Empty(t, c.scrape(first["0.0.0.0:9464"], os.DevNull), "without a token")
}

// prepare copies the scripts, so that what they make is the test's own.
func (c *composed) prepare() {
	for _, name := range []string{"credentials", "compose/prepare", "compose/.env.example", "compose/bucket", "compose/bucket-policy.json", "compose/nats.conf"} {
		data, err := os.ReadFile(deploy(name))
		require.NoError(c.t, err)
		require.NoError(c.t, os.MkdirAll(filepath.Dir(c.path(name)), 0o700))
		require.NoError(c.t, os.WriteFile(c.path(name), data, 0o700))
	}
	cmd := exec.CommandContext(c.t.Context(), c.path("compose/prepare"))
	cmd.Env = append(os.Environ(), "DEED="+c.self, beDeed+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(c.t, err, "%s", out)
}

func (c *composed) path(name string) string { return filepath.Join(c.dir, filepath.FromSlash(name)) }

// secret is the file of what a service sees as /run/secrets/TARGET.
func (c *composed) secret(of service, target string) string {
	i := slices.IndexFunc(of.Secrets, func(s composeSecret) bool { return s.Target == target })
	require.GreaterOrEqual(c.t, i, 0, target)
	return c.path("compose/" + c.file.Secrets[of.Secrets[i].Source].File)
}

// here rewrites what a service is told: its files, and the addresses of others.
func (c *composed) here(s service, text string) string {
	for _, secret := range s.Secrets {
		text = strings.ReplaceAll(text, "/run/secrets/"+secret.Target, c.secret(s, secret.Target))
	}
	for _, v := range s.Volumes {
		outside, inside, _ := strings.Cut(v, ":")
		if inside, _, _ = strings.Cut(inside, ":"); strings.HasPrefix(outside, ".") {
			text = strings.ReplaceAll(text, "="+inside, "="+c.path("compose/"+outside))
		}
	}
	for inside, address := range c.at {
		text = strings.ReplaceAll(text, inside, address)
	}
	return text
}

// node starts a NATS server with nats.conf.
func (c *composed) node(i int) {
	name := fmt.Sprintf("nats-%d", i)
	s := c.file.Services[name]
	text := readDeploy(c.t, "compose", "nats.conf")
	text = strings.NewReplacer(
		"client_advertise: $NATS_NAME", fmt.Sprintf("client_advertise: %q", c.at[name+":4222"]), "$NATS_NAME", s.Environment["NATS_NAME"],
		"0.0.0.0:4222", c.at[name+":4222"], "0.0.0.0:6222", c.at[name+":6222"], "0.0.0.0:8222", "127.0.0.1:-1",
		`"/data"`, fmt.Sprintf("%q", c.path("compose/state/"+name)), "../../run/secrets/nats-accounts.conf", "credentials/nats/nats-accounts.conf",
	).Replace(text)
	config := c.path("compose/" + name + ".conf")
	require.NoError(c.t, os.WriteFile(config, []byte(c.here(s, text)), 0o600))
	o, err := natsserver.ProcessConfigFile(config)
	require.NoError(c.t, err)
	o.NoSigs, o.NoLog = true, true
	server, err := natsserver.NewServer(o)
	require.NoError(c.t, err)
	server.Start()
	c.nodes = append(c.nodes, server)
	c.t.Cleanup(func() { server.Shutdown(); server.WaitForShutdown() })
}

// blobs starts the store of blobs.
func (c *composed) blobs() {
	gateway, err := exec.LookPath("versitygw")
	if err != nil {
		c.t.Log("versitygw is not in PATH: blobs are files")
		return
	}
	address := freeAddress(c.t)
	c.at["blobs:7070"] = address
	s := c.file.Services["blobs"]
	args := slices.Clone(s.Command)
	for i, arg := range args {
		switch arg {
		case ":7070":
			args[i] = address
		case "/iam", "/blobs":
			args[i] = c.path("compose/state" + arg)
		}
	}
	root, err := os.ReadFile(c.path("compose/credentials/blobs.env"))
	require.NoError(c.t, err)
	environment := append(os.Environ(), strings.Fields(string(root))...)
	cmd := exec.CommandContext(c.t.Context(), gateway, args...)
	cmd.Env = environment
	require.NoError(c.t, cmd.Start())
	c.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	bucket := exec.CommandContext(c.t.Context(), "sh", c.path("compose/bucket"))
	bucket.Env = append(slices.Clone(environment), "BLOBS=http://"+address, "POLICY="+c.path("compose/bucket-policy.json"))
	out, err := bucket.CombinedOutput()
	require.NoError(c.t, err, "%s", out)
}

// role starts a service that is deed, and returns where it listens.
func (c *composed) role(name string, listens ...string) map[string]string {
	s := c.file.Services[name]
	at := map[string]string{"name": name}
	for _, inside := range listens {
		at[inside] = freeAddress(c.t)
	}
	var args []string
	for _, arg := range s.Command {
		arg = c.here(s, arg)
		for inside, address := range at {
			arg = strings.ReplaceAll(arg, inside, address)
		}
		args = append(args, arg)
	}
	if args[0] == "serve" {
		args = append(args, "--require-token") // here it listens on loopback, which would ask for none
	}
	cmd := c.command(args...)
	for variable, value := range s.Environment {
		if _, there := c.at["blobs:7070"]; variable == "DEED_BLOBS" && !there {
			value = "file://" + c.path("blobs")
		}
		cmd.Env = append(cmd.Env, variable+"="+c.here(s, value))
	}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(c.t, cmd.Start())
	c.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if c.t.Failed() {
			c.t.Logf("%s said:\n%s", name, said.String())
		}
	})
	return at
}

// healthy waits until the health check of a service passes.
func (c *composed) healthy(at map[string]string) {
	s := c.file.Services[at["name"]]
	var check []string
	for _, arg := range s.Healthcheck.Test[2:] {
		arg = c.here(s, arg)
		for inside, address := range at {
			if _, port, err := net.SplitHostPort(inside); err == nil {
				arg = strings.ReplaceAll(arg, "localhost:"+port, address)
			}
		}
		check = append(check, arg)
	}
	var out []byte
	require.Eventually(c.t, func() bool {
		var err error
		out, err = c.command(check...).CombinedOutput()
		return err == nil
	}, time.Minute, 50*time.Millisecond, "%s: %s", at["name"], out)
}

func (c *composed) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Minute)
	c.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, c.self, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(slices.DeleteFunc(os.Environ(), ofACloud), beDeed+"=1", "XDG_CONFIG_HOME="+c.dir)
	return cmd
}

// ofACloud is a variable that tests of clouds set meanwhile, and compose.yaml would have to.
func ofACloud(variable string) bool { return strings.HasPrefix(variable, "AWS_") }

// scrape is what a role tells who shows the token in a file; "" if it refuses.
func (c *composed) scrape(address, tokenFile string) string {
	authority, err := os.ReadFile(c.path("compose/credentials/ca.crt"))
	require.NoError(c.t, err)
	token, err := os.ReadFile(tokenFile)
	require.NoError(c.t, err)
	roots := x509.NewCertPool()
	require.True(c.t, roots.AppendCertsFromPEM(authority))
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, "https://"+address+"/metrics", http.NoBody)
	require.NoError(c.t, err)
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "deed-worker"}}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	require.NoError(c.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(c.t, err)
	if answer.StatusCode == http.StatusUnauthorized {
		return ""
	}
	require.Equal(c.t, http.StatusOK, answer.StatusCode, "%s", body)
	return string(body)
}

// shows holds what KEDA is told to look for to what the nodes tell it.
func (c *composed) shows(trigger map[string]any) {
	account, stream, consumer := trigger["account"].(string), trigger["stream"].(string), trigger["consumer"].(string)
	told := slices.ContainsFunc(c.nodes, func(n *natsserver.Server) bool {
		info, err := n.Jsz(&natsserver.JSzOptions{Account: account, Streams: true, Consumer: true})
		require.NoError(c.t, err)
		if len(info.AccountDetails) == 0 {
			return false
		}
		for _, s := range info.AccountDetails[0].Streams {
			for _, c := range s.Consumer {
				if s.Name == stream && c.Name == consumer {
					return true
				}
			}
		}
		return false
	})
	require.True(c.t, told, "no node tells of the consumer %s of %s in the account %s", consumer, stream, account)
}

// freeAddress is one of this machine at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}
