//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes spans by OTLP over HTTP, as any collector does.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []span
}

type span struct {
	*tracepb.Span
	service string
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var batch collectorpb.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &batch) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, resource := range batch.GetResourceSpans() {
			service := ""
			for _, a := range resource.GetResource().GetAttributes() {
				if a.GetKey() == "service.name" {
					service = a.GetValue().GetStringValue()
				}
			}
			for _, scope := range resource.GetScopeSpans() {
				for _, s := range scope.GetSpans() {
					c.spans = append(c.spans, span{s, service})
				}
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// environment sends the spans of a command here, at once.
func (c *collector) environment() []string {
	return []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_BSP_SCHEDULE_DELAY=50"}
}

func (c *collector) all() []span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]span(nil), c.spans...)
}

// named are the spans of a name that are about something.
func (c *collector) named(name string, about ...string) (found []span) {
	for _, s := range c.all() {
		if s.Name == name && s.has(about...) {
			found = append(found, s)
		}
	}
	return found
}

func (s span) attr(key string) string {
	for _, a := range s.Attributes {
		if a.GetKey() != key {
			continue
		}
		if n, is := a.GetValue().GetValue().(*commonpb.AnyValue_IntValue); is {
			return strconv.FormatInt(n.IntValue, 10)
		}
		return a.GetValue().GetStringValue()
	}
	return ""
}

func (s span) has(pairs ...string) bool {
	for i := 0; i < len(pairs); i += 2 {
		if s.attr(pairs[i]) != pairs[i+1] {
			return false
		}
	}
	return true
}

func (s span) failed() bool { return s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR }

// ancestry is the names of a span and all above it, the uppermost first.
func (c *collector) ancestry(s span) string {
	above := map[string]span{}
	for _, other := range c.all() {
		above[hex.EncodeToString(other.SpanId)] = other
	}
	names := []string{s.Name}
	for found := true; found; {
		if s, found = above[hex.EncodeToString(s.ParentSpanId)]; found {
			names = append([]string{s.Name}, names...)
		}
	}
	return strings.Join(names, " > ")
}

// role starts one, and returns what it said first on standard output, if it
// says something there.
func (c *collector) role(t *testing.T, dir string, args ...string) (cmd *exec.Cmd, said string) {
	t.Helper()
	cmd = deedCommand(t, dir, args...)
	cmd.Env = append(cmd.Env, c.environment()...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%v said:\n%s", args, stderr.String())
		}
	})
	if args[0] == "serve" {
		said, err = bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
	}
	return cmd, strings.TrimSpace(said)
}

const traced = `deed: v1
name: traced
inputs: [in]
steps:
  flaky:
    sh: 'test "$DEED_ATTEMPT" -gt 1 || exit 3; echo "$TRACEPARENT" > "$DEED_OUT/seen"'
    in: [in]
    out: [seen]
    retry: {attempts: 2, backoff: 10ms}
  hold:
    sh: 'touch "$DEED_PARAM_DIR/held"; until test -e "$DEED_PARAM_DIR/go"; do sleep 0.02; done'
    in: [seen]
    out: []
params: {dir: nowhere}
outputs: [seen]
`

func TestAProcessIsOneTraceFromItsSubmissionToItsEndAlsoIfItsOrchestratorIsKilled(t *testing.T) {
	c, dir := newCollector(t), t.TempDir()
	write(t, dir, map[string]string{"traced.yaml": traced, "in.txt": "x"})
	serve, url := c.role(t, dir, "serve", "--data", "d", "--listen", "127.0.0.1:0", "--lease", "2s")
	worker, _ := c.role(t, dir, "worker", "--data", "d")
	submit := deedCommand(t, dir, "submit", "traced.yaml", "--in", "in=in.txt", "--param", "dir="+dir, "--id", "p", "--server", url)
	submit.Env = append(submit.Env, c.environment()...)
	said, err := submit.CombinedOutput()
	require.NoError(t, err, string(said))

	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(dir, "held"))
		return err == nil && len(c.named("queue hold")) > 0 && len(c.named("schedule hold")) > 0
	}, time.Minute, 20*time.Millisecond)
	require.NoError(t, serve.Process.Kill())
	_ = serve.Wait()
	serve, url = c.role(t, dir, "serve", "--data", "d", "--listen", "127.0.0.1:0", "--lease", "2s")
	write(t, dir, map[string]string{"go": ""})
	said, err = deedCommand(t, dir, "wait", "p", "--server", url, "--out", "out").CombinedOutput()
	require.NoError(t, err, string(said))
	for _, role := range []*exec.Cmd{worker, serve} { // which send their last spans
		require.NoError(t, role.Process.Signal(syscall.SIGTERM))
		require.NoError(t, role.Wait())
	}

	for _, s := range c.all() {
		require.Equal(t, hex.EncodeToString(c.all()[0].TraceId), hex.EncodeToString(s.TraceId), "%s is in another trace", s.Name)
	}
	// A task that was under way may be executed twice then, and is confirmed once:
	// of what comes late nothing follows.
	const begun = "deed submit > submit > POST /v1/processes/{id}/commands > submit"
	for _, at := range []struct {
		name    string
		about   []string
		service string
		below   string
		failed  bool
	}{
		{"start traced", nil, "deed-serve", begun, false},
		{"queue flaky", []string{"attempt", "1"}, "deed-worker", begun + " > schedule flaky", false},
		{"task flaky", []string{"attempt", "1", "outcome", "failed"}, "deed-worker", begun + " > schedule flaky > queue flaky", true},
		{"fail flaky", nil, "deed-serve", begun + " > schedule flaky > queue flaky > task flaky > report", true},
		{"retry flaky", nil, "deed-serve", begun, false},
		{"task flaky", []string{"attempt", "2", "outcome", "done"}, "deed-worker", begun + " > schedule flaky > queue flaky", false},
		{"confirm flaky", nil, "deed-serve", begun + " > schedule flaky > queue flaky > task flaky > report", false},
		{"step flaky", nil, "deed-serve", begun, false},
		{"confirm hold", []string{"events", "3"}, "deed-serve", begun + " > schedule hold > queue hold > task hold > report", false},
		{"process completed", nil, "deed-serve", begun, false},
	} {
		found := c.named(at.name, at.about...)
		require.Len(t, found, 1, "%s %v", at.name, at.about)
		require.Equal(t, at.below+" > "+at.name, c.ancestry(found[0]))
		require.Equal(t, at.service, found[0].service, at.name)
		require.Equal(t, at.failed, found[0].failed(), at.name)
	}
	second := c.named("task flaky", "attempt", "2")[0]
	seen := readFile(t, filepath.Join(dir, "out", "seen"))
	require.Equal(t, "00-"+hex.EncodeToString(second.TraceId)+"-"+hex.EncodeToString(second.SpanId)+"-01\n", seen, "a program knows the span that it is in")
}

func TestACollectorThatIsAwayHoldsUpNothingAndIsToldOfOnce(t *testing.T) {
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	dir := t.TempDir()
	write(t, dir, map[string]string{"def.yaml": "deed: v1\nname: p\ninputs: [in]\nsteps: {s: {sh: 'echo done > \"$DEED_OUT/y\"', in: [in], out: [y]}}\noutputs: [y]\n", "in.txt": "x"})
	cmd := deedCommand(t, dir, "run", "def.yaml", "--in", "in=in.txt", "--data", "d")
	cmd.Env = append(cmd.Env, "OTEL_EXPORTER_OTLP_ENDPOINT="+away.URL, "OTEL_BSP_SCHEDULE_DELAY=5", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1")
	ended := finish(t, cmd)
	require.Zero(t, ended.code, ended.stderr)
	require.Equal(t, 1, strings.Count(ended.stderr, "the collector does not take spans"), ended.stderr)
}

func TestWithoutAnEndpointOrSwitchedOffNothingIsSent(t *testing.T) {
	c, dir := newCollector(t), t.TempDir()
	write(t, dir, map[string]string{"def.yaml": "deed: v1\nname: p\ninputs: [in]\nsteps: {s: {sh: 'echo \"t:${TRACEPARENT:-}\" > \"$DEED_OUT/y\"', in: [in], out: [y]}}\noutputs: [y]\n", "in.txt": "x"})
	for name, more := range map[string][]string{
		"no endpoint":      {"OTEL_EXPORTER_OTLP_ENDPOINT="},
		"switched off":     {"OTEL_SDK_DISABLED=true"},
		"nothing sampled":  {"OTEL_TRACES_SAMPLER=always_off"},
		"another protocol": {"OTEL_EXPORTER_OTLP_PROTOCOL=grpc"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := deedCommand(t, dir, "run", "def.yaml", "--in", "in=in.txt", "--data", "d-"+name, "--out", "out-"+name)
			cmd.Env = append(append(cmd.Env, c.environment()...), more...)
			ended := finish(t, cmd)
			require.Zero(t, ended.code, ended.stderr)
			require.Equal(t, "t:\n", readFile(t, filepath.Join(dir, "out-"+name, "y")))
			require.Empty(t, c.all())
			require.Equal(t, name == "another protocol", strings.Contains(ended.stderr, "http/protobuf alone"), ended.stderr)
		})
	}
}

func TestAnEndpointThatIsNoURLOfACollectorIsSaidToBeNone(t *testing.T) {
	for endpoint, is := range map[string]bool{
		"localhost:4318": false, "::secret@": false, "http://": false, "ftp://127.0.0.1:4318": false, "unix:///secret": false, "http://127.0.0.1:1": true,
	} {
		var stderr bytes.Buffer
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint)
		require.Equal(t, exitOK, execute(t.Context(), []string{"version"}, strings.NewReader(""), io.Discard, &stderr))
		if is {
			require.Empty(t, stderr.String(), endpoint)
			continue
		}
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
		require.Contains(t, stderr.String(), "the variable says no URL of a collector; write it as http://127.0.0.1:4318\" variable=OTEL_EXPORTER_OTLP_TRACES_ENDPOINT\n")
		require.NotContains(t, stderr.String(), "secret", "it may be")
	}
}
