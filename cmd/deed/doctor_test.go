package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/doctor"
	"github.com/deedrun/deed/internal/natsconn"
)

// clinic is a directory in which deed is called as a person calls it: by a
// shell, under its own name.
type clinic struct {
	*testing.T
	dir, bin string
	token    string // of NATS
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := &clinic{T: t, dir: t.TempDir(), bin: t.TempDir()}
	require.NoError(t, os.Symlink(self, filepath.Join(c.bin, "deed")))
	return c
}

// shell is a command line, for the shell.
func (c *clinic) shell(line string) *exec.Cmd {
	c.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), 4*time.Minute) // more than any of them needs
	c.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), beDeed+"=1", "PATH="+c.bin+":"+os.Getenv("PATH"), "XDG_CONFIG_HOME="+c.dir, "NO_COLOR=1", "DEED_LISTEN=127.0.0.1:0", "DEED_NATS_TOKEN="+c.token)
	return cmd
}

// does runs a command line that has to succeed.
func (c *clinic) does(line string) {
	c.Helper()
	out, err := c.shell(line).CombinedOutput()
	require.NoError(c, err, "%s\n%s", line, out)
}

// keeps starts a command line that goes on until the test ends.
func (c *clinic) keeps(line string) *exec.Cmd {
	c.Helper()
	cmd := c.shell("exec " + line)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(c, cmd.Start())
	c.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
		if c.Failed() {
			c.Logf("%s said:\n%s", line, tail(said.String(), 4000))
		}
	})
	return cmd
}

// examines calls deed doctor.
func (c *clinic) examines(where string) (all []doctor.Finding) {
	c.Helper()
	cmd := c.shell("deed doctor " + where + " -o json")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(c, json.Unmarshal(out, &all), "%v: %s%s", err, out, errs.String())
	fails := slices.ContainsFunc(all, func(f doctor.Finding) bool { return f.Status == "fail" })
	require.Equal(c, fails, cmd.ProcessState.ExitCode() == exitFailed, "%v", err)
	require.Equal(c, !fails, cmd.ProcessState.ExitCode() == exitOK, "%v", err)
	for _, f := range all {
		require.Equal(c, f.Status == "ok", f.Fix == "", "%+v", f)
	}
	return all
}

// wrong is a finding that is not ok, and says so with these words.
func (c *clinic) wrong(where, check, status, words string) doctor.Finding {
	c.Helper()
	return c.among(c.examines(where), check, status, words)
}

// among is the same, of what was found before.
func (c *clinic) among(all []doctor.Finding, check, status, words string) doctor.Finding {
	c.Helper()
	f, made := worst(all, check)
	require.True(c, made, "%s: no such check: %+v", check, all)
	require.Equal(c, status, string(f.Status), "%+v", f)
	require.Contains(c, f.Found, words)
	return f
}

// well waits until checks are ok.
func (c *clinic) well(where string, checks ...string) {
	c.Helper()
	for began := time.Now(); ; {
		all := c.examines(where)
		ill := slices.DeleteFunc(slices.Clone(checks), func(check string) bool {
			f, made := worst(all, check)
			return made && f.Status == "ok"
		})
		if len(ill) == 0 {
			return
		}
		require.Less(c, time.Since(began), 40*time.Second, "%s: %+v", ill, all)
	}
}

// worst is the finding of a check that is not ok, if it found several.
func worst(all []doctor.Finding, check string) (found doctor.Finding, made bool) {
	for _, f := range all {
		if f.Check == check && (!made || f.Status != "ok") {
			found, made = f, true
		}
	}
	return found, made
}

var betweenBackticks = regexp.MustCompile("`([^`]+)`")

// advised is the last command line of a fix.
func (c *clinic) advised(f doctor.Finding) string {
	c.Helper()
	all := betweenBackticks.FindAllStringSubmatch(f.Fix, -1)
	require.NotEmpty(c, all, "%+v", f)
	return all[len(all)-1][1]
}

// natsServer is a server with streams as deed makes them, and how to name it.
type natsServer struct {
	*server.Server
	js    jetstream.JetStream
	blobs string
	where string // --nats URL --blobs URL
}

func (c *clinic) natsServer(o *server.Options) *natsServer {
	c.Helper()
	o.Host, o.Port, o.NoLog, o.NoSigs, o.StoreDir = "127.0.0.1", -1, true, true, c.TempDir()
	o.JetStream = o.ServerName != "without"
	o.MaxPayload = cmp.Or(o.MaxPayload, int32(natsconn.DefaultMaxPayload))
	o.MaxPending = 64 << 20
	s, err := server.NewServer(o)
	require.NoError(c, err)
	s.Start()
	c.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	require.True(c, s.ReadyForConnections(20*time.Second))
	return c.at(s, s.ClientURL())
}

func (c *clinic) at(s *server.Server, address string) *natsServer {
	c.Helper()
	nc, err := natsconn.Connect(c.Context(), address, "", natsconn.ConnOptions{})
	require.NoError(c, err)
	c.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(c, err)
	dir := filepath.Join(c.dir, "blobs")
	require.NoError(c, os.MkdirAll(dir, 0o700))
	blobs := (&url.URL{Scheme: "file", Path: filepath.ToSlash(dir)}).String()
	return &natsServer{Server: s, js: js, blobs: blobs, where: fmt.Sprintf("--nats %s --blobs %s", address, blobs)}
}

// options are those of a runtime at the server.
func (s *natsServer) options(address string) deed.Options {
	return deed.Options{Server: address, Blobs: s.blobs, Orchestrate: true, Version: built().Version}
}

// served makes the streams, as whoever orchestrates first does.
func (s *natsServer) served(c *clinic) {
	c.Helper()
	r, err := deed.Open(c.Context(), s.options(s.ClientURL()))
	require.NoError(c, err)
	r.Close()
}

// changed changes a stream as an operator would.
func (s *natsServer) changed(c *clinic, name string, change func(*jetstream.StreamConfig)) {
	c.Helper()
	stream, err := s.js.Stream(c.Context(), name)
	require.NoError(c, err)
	config := stream.CachedInfo().Config
	change(&config)
	_, err = s.js.UpdateStream(c.Context(), config)
	require.NoError(c, err)
}

func TestTheDoctorPrintsALineACheckAndBelowItWhatToDo(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	var out, errs bytes.Buffer
	require.Equal(t, exitFailed, execute(t.Context(), []string{"doctor", "--data", filepath.Join(c.dir, "none")}, strings.NewReader(""), &out, &errs))
	lines := strings.Split(out.String(), "\n")
	require.Regexp(t, `^ok    binary      deed `, lines[0])
	require.Regexp(t, `^fail  folder      there is no folder /.*/none$`, lines[2])
	require.Regexp(t, "^ +→ start deed in it: `.* up --data /.*/none`, or name another with --data$", lines[3])
	require.Equal(t, "3 checks: 2 ok, 0 warnings, 1 failed\n", errs.String())
}

func TestTheDoctorFindsNothingWrongWithAFolderThatIsServedOrWithItsServer(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	address := filepath.Join(c.dir, "address")
	c.keeps("deed up --data d > " + address)
	c.well("--data d", "pools")
	for _, f := range c.examines("--data d") {
		require.NotEqual(t, "fail", string(f.Status), "%+v", f)
		require.True(t, f.Status == "ok" || f.Check == "disk", "%+v", f) // of the machine of the test
	}
	said, err := os.ReadFile(address)
	require.NoError(t, err)
	all := c.examines("--server " + strings.TrimSpace(string(said)))
	require.Equal(t, "server", all[0].Check)
	for _, f := range all {
		require.True(t, f.Status == "ok" || f.Check == "disk", "%+v", f)
	}
}

func TestTheDoctorSaysOfAServerThatIsNotThereThatItIsNot(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.wrong("--server http://127.0.0.1:1", "server", "fail", "cannot be reached")
	c.wrong("--nats nats://127.0.0.1:1 --blobs file:///none", "nats", "fail", "is a server running there")
	c.wrong("--nats nats://127.0.0.1:1 --blobs file:///none", "blobs", "fail", "there is no blob store")
}

func TestTheDoctorDoesNotWaitForAServerThatTakesConnectionsAndSaysNothing(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the system takes them, and nobody answers
	require.NoError(t, err)
	defer silent.Close()
	began := time.Now()
	f := c.wrong("--server http://"+silent.Addr().String(), "server", "fail", "no answer within 5s")
	require.NotEmpty(t, f.Fix)
	require.Less(t, time.Since(began), time.Minute)
}

func TestTheDoctorSaysWhichProcessHangsThatServesAFolder(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	up := c.keeps("deed up --data d")
	c.well("--data d", "orchestrators")
	require.NoError(t, up.Process.Signal(syscall.SIGSTOP))
	f := c.wrong("--data d", "nats", "fail", "connect to nats")
	require.NoError(t, up.Process.Kill())
	_ = up.Wait()
	require.Contains(t, f.Fix, fmt.Sprintf("`ps -p %d`", up.Process.Pid))
	require.NotContains(t, f.Fix, "--nats", "a folder has no such address")
	c.keeps(c.advised(f))
	c.well("--data d", "nats")
}
