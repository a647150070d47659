package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
)

// here is a deed of this test, with its API at an address.
type here struct {
	t       *testing.T
	runtime *deed.Runtime
	url     string
	handler http.Handler
	server  *http.Server
	dir     string // where definitions and inputs are
}

func atAServer(t *testing.T) *here {
	t.Helper()
	h := &here{t: t, dir: t.TempDir()}
	t.Chdir(h.dir)
	t.Setenv("XDG_CONFIG_HOME", h.dir)
	r, err := deed.Open(t.Context(), deed.Options{Handlers: handlers(), Workers: 2, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(r.Close)
	h.runtime, h.handler = r, api.New(api.Options{Runtime: r, Log: slog.New(slog.DiscardHandler)})
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	h.url = "http://" + listener.Addr().String()
	h.serve(listener)
	t.Cleanup(func() { _ = h.server.Close() })
	for name, text := range map[string]string{
		"def.yaml":  remoteDefinition,
		"fail.yaml": strings.Replace(remoteDefinition, "cat", "echo it is broken >&2; false; cat", 1),
		"hold.yaml": strings.Replace(remoteDefinition, "cat", `until test -e "$DEED_PARAM_GO"; do sleep 0.02; done; cat`, 1),
		"x/a.txt":   "alpha\n",
		"x/b.txt":   "beta\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o777))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o666))
	}
	return h
}

// remoteDefinition has a file that travels with it.
const remoteDefinition = `deed: v1
name: upper
inputs: [x]
params: {go: nowhere}
steps:
  shout:
    sh: cat "$DEED_IN/x" | tr a-z A-Z > "$DEED_OUT/y"; echo shouted
    each: x
    out: [y]
outputs: [y]
`

func (h *here) serve(listener net.Listener) {
	h.server = &http.Server{Handler: h.handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = h.server.Serve(listener) }()
}

// deed runs a command line at the server.
func (h *here) deed(args ...string) (code int, stdout, stderr string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	code = execute(ctx, append(args, "--server", h.url), strings.NewReader("from standard input\n"), &out, &errs)
	return code, out.String(), errs.String()
}

// ok is deed for what has to succeed; it returns what was printed.
func (h *here) ok(args ...string) string {
	h.t.Helper()
	code, stdout, stderr := h.deed(args...)
	require.Zero(h.t, code, stderr)
	return stdout
}

func TestAProcessIsSubmittedFollowedAndBroughtHomeThroughAServer(t *testing.T) {
	h := atAServer(t)
	id := strings.TrimSpace(h.ok("submit", "def.yaml", "--in", "x=x"))
	require.Regexp(t, `^upper-\w{6}$`, id)
	require.Equal(t, id+" completed; outputs in home\n", h.ok("wait", "@latest", "--out", "home"))
	text, err := os.ReadFile("home/y/a.txt")
	require.NoError(t, err)
	require.Equal(t, "ALPHA\n", string(text))
	require.Contains(t, h.ok("ps"), id)
	require.Contains(t, h.ok("show", id[:8]), "shout  completed  2/2")
	require.Contains(t, h.ok("history", id), "process completed")
	require.Contains(t, h.ok("logs", id, "shout[1]"), "shouted")
	require.Contains(t, h.ok("why", id, "shout[0]"), "attempt 1")
	require.Contains(t, h.ok("replay", id, "--set", "shout.parallelism=1"), "upper")
	require.NotEmpty(t, h.ok("shell", id, "shout[0]", "--dir", "task"))
	require.FileExists(t, "task/run.sh")

	code, _, stderr := h.deed("submit", "def.yaml", "--in", "x=x/a.txt", "--id", id)
	require.Equal(t, exitConflict, code, stderr)
	require.Contains(t, stderr, "input x")
	require.Equal(t, id+"\n", h.ok("submit", "def.yaml", "--in", "x=x", "--id", id), "the same again attaches")
	require.JSONEq(t, `{"id": "`+id+`", "at": "`+h.url+`"}`, h.ok("submit", "def.yaml", "--in", "x=x", "--id", id, "-o", "json"))
}

func TestARunAtAServerShowsItsProgressHereAndWritesItsOutputsHere(t *testing.T) {
	h := atAServer(t)
	code, stdout, stderr := h.deed("run", "def.yaml", "--in", "x=-", "--id", "r")
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "r completed in ")
	require.Equal(t, "FROM STANDARD INPUT\n", stdout)
	require.FileExists(t, "out/r/y/x")

	code, _, stderr = h.deed("run", "fail.yaml", "--in", "x=x", "--id", "f", "--set", "shout.retry.attempts=1")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "it is broken")
	require.Contains(t, stderr, " retry f --server "+h.url, "the next command goes to the same place")
	code, stdout, _ = h.deed("submit", "fail.yaml", "--in", "x=x", "--id", "g", "--set", "shout.retry.attempts=1", "--wait", "-o", "json")
	require.Equal(t, exitFailed, code)
	var told outcome
	require.NoError(t, json.Unmarshal([]byte(stdout), &told))
	require.EqualValues(t, "failed", told.Status)
}

func TestAProcessIsSupervisedThroughAServer(t *testing.T) {
	h := atAServer(t)
	open := filepath.Join(h.dir, "go")
	h.ok("submit", "hold.yaml", "--in", "x=x", "--id", "p", "--param", "go="+open)
	require.Contains(t, h.ok("pause", "p", "--reason", "to see it"), "paused p")
	require.Contains(t, h.ok("set", "p", "shout.timeout=1m"), "timeout 1m, was none")
	require.Contains(t, h.ok("show", "p"), "to see it")
	require.Equal(t, "resumed p; it goes on where it is served\n", h.ok("resume", "p"))
	require.Eventually(t, func() bool { return strings.Contains(h.ok("timeouts", "p"), "shout[0]") }, 20*time.Second, 50*time.Millisecond)
	require.Contains(t, h.ok("cancel", "p"), "cancelled p")
	code, _, stderr := h.deed("wait", "p")
	require.Equal(t, exitCancelled, code, stderr)
	require.NoError(t, os.WriteFile(open, nil, 0o666))
	require.Contains(t, h.ok("retry", "p"), "it goes on where it is served")
	require.Contains(t, h.ok("wait", "p", "--timeout", "1m"), "p completed")
	require.Contains(t, h.ok("restart", "p", "--from", "shout"), "restarted p from shout")
	require.Contains(t, h.ok("wait", "p", "--timeout", "1m"), "p completed")
	code, _, stderr = h.deed("pause", "p")
	require.Equal(t, exitConflict, code, stderr)
	code, _, stderr = h.deed("show", "nobody")
	require.Equal(t, exitNotFound, code, stderr)
	require.Contains(t, stderr, `no process "nobody" in "`+h.url+`"`)
}

func TestWhatIsStoredIsLookedAfterThroughAServer(t *testing.T) {
	h := atAServer(t)
	h.ok("submit", "def.yaml", "--in", "x=x", "--id", "old", "--wait")
	require.Contains(t, h.ok("views"), "processes")
	require.Contains(t, h.ok("views", "rebuild"), "processes: ")
	h.ok("retention", "set", "upper", "--archive-after", "1y")
	require.Contains(t, h.ok("retention", "ls"), "1y")
	h.ok("retention", "rm", "upper")
	code, _, stderr := h.deed("retention", "rm", "upper")
	require.Equal(t, exitNotFound, code, stderr)
	require.Contains(t, h.ok("archive", "--before", "1h", "--dry-run"), "ID")

	require.Contains(t, h.ok("archive", "old", "--to", "old.tar.gz"), "archived old: ")
	require.Contains(t, h.ok("archive", "old"), "is archived already")
	require.Contains(t, h.ok("show", "old"), "completed")
	require.Contains(t, h.ok("history", "old"), "process completed")
	require.Equal(t, "old is here already\n", h.ok("import", "old.tar.gz"))
	require.NoError(t, os.WriteFile("no.tar.gz", []byte("no archive"), 0o666))
	code, _, stderr = h.deed("import", "no.tar.gz")
	require.Equal(t, exitUsage, code, stderr)
	require.Contains(t, stderr, "no.tar.gz: ")
	h.ok("submit", "hold.yaml", "--in", "x=x", "--id", "open")
	code, _, stderr = h.deed("archive", "open")
	require.Equal(t, exitConflict, code, stderr)
	h.ok("cancel", "open")

	_, _, stderr = h.deed("gc")
	require.Contains(t, stderr, "kept: ")
	require.Equal(t, "[]\n", h.ok("quarantine", "ls", "-o", "json"))
	code, _, stderr = h.deed("quarantine", "show", "7")
	require.Equal(t, exitNotFound, code, stderr)
	require.NoDirExists(t, defaultData, "nothing of all this was done here")
}

func TestWhoFollowsAProcessGoesOnWhenTheServerIsReplaced(t *testing.T) {
	h := atAServer(t)
	open := filepath.Join(h.dir, "go")
	ended := make(chan string, 1)
	var code int
	go func() {
		var stderr string
		code, _, stderr = h.deed("run", "hold.yaml", "--in", "x=x", "--id", "p", "--param", "go="+open)
		ended <- stderr
	}()
	require.Eventually(t, func() bool { return strings.Contains(h.ok("ps"), "running") }, 20*time.Second, 50*time.Millisecond)
	address := strings.TrimPrefix(h.url, "http://")
	require.NoError(t, h.server.Close())
	var listener net.Listener
	require.Eventually(t, func() (there bool) {
		var err error
		listener, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		return err == nil
	}, 5*time.Second, 10*time.Millisecond)
	h.serve(listener)
	require.NoError(t, os.WriteFile(open, nil, 0o666))
	stderr := <-ended
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "p completed in ")
}

func TestAServerThatIsNotThereIsSaidToBeAtOnce(t *testing.T) {
	h := atAServer(t)
	require.NoError(t, h.server.Close())
	for _, line := range []string{"ps", "submit def.yaml --in x=x", "run def.yaml --in x=x", "cancel p", "timeouts", "gc", "import x/a.txt"} {
		code, _, stderr := h.deed(strings.Fields(line)...)
		require.Equal(t, exitUnreachable, code, "%s: %s", line, stderr)
		require.Contains(t, stderr, h.url, line)
	}
}
