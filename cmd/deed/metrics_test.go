package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/metrics/metricstest"
	"github.com/deedrun/deed/internal/tlstest"
)

// started is a role that says where it can be asked.
type started struct {
	*exec.Cmd
	url, metrics string
}

var metricsAt = regexp.MustCompile(`metrics at (https?://\S+)/metrics`)

// start starts a role, and waits until it says where its metrics are, and on
// standard output, if it has one, where its API is.
func start(t *testing.T, dir string, hasAPI bool, args ...string) started {
	t.Helper()
	cmd := deedCommand(t, dir, args...)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	s := started{Cmd: cmd}
	said := bufio.NewScanner(stderr)
	for s.metrics == "" && said.Scan() {
		if m := metricsAt.FindStringSubmatch(said.Text()); m != nil {
			s.metrics = m[1]
		}
	}
	require.NotEmpty(t, s.metrics, "it says where its metrics are")
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	if hasAPI {
		line, err := bufio.NewReader(stdout).ReadString('\n')
		require.NoError(t, err)
		s.url = strings.TrimSpace(line)
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	t.Cleanup(func() { s.end() })
	return s
}

func (s started) end() {
	_ = s.Process.Signal(syscall.SIGTERM)
	_ = s.Wait()
}

// get asks for a page.
func get(t *testing.T, c *http.Client, url, token string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return ask(ctx, c, url, token)
}

func ask(ctx context.Context, c *http.Client, url, token string) (int, string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(body)
}

func TestRolesTellWhatTheyMeasureWhileTheyWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	corpus, err := filepath.Abs("../../examples/wordcount")
	require.NoError(t, err)
	server := start(t, dir, true, "serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
	worker := start(t, dir, false, "worker", "--concurrency", "2", "--metrics", "127.0.0.1:0")
	ready := func() bool {
		status, _ := get(t, http.DefaultClient, worker.metrics+"/readyz", "")
		return status == http.StatusOK
	}
	require.Eventually(t, ready, 30*time.Second, 20*time.Millisecond)
	out, err := deedCommand(t, dir, "submit", filepath.Join(corpus, "process.yaml"), "--in", "corpus="+filepath.Join(corpus, "corpus"), "--server", server.url, "--id", "p").CombinedOutput()
	require.NoError(t, err, "%s", out)
	stop := make(chan struct{})
	scrapes := make(chan int, 1)
	go func() { // under load
		n := 0
		for {
			select {
			case <-stop:
				scrapes <- n
				return
			default:
				for _, url := range []string{server.metrics, worker.metrics} {
					if status, _ := ask(t.Context(), http.DefaultClient, url+"/metrics", ""); status == http.StatusOK {
						n++
					}
				}
			}
		}
	}()
	out, err = deedCommand(t, dir, "wait", "p", "--server", server.url).CombinedOutput()
	close(stop)
	require.NoError(t, err, "%s", out)
	require.Greater(t, <-scrapes, 2)

	_, text := get(t, http.DefaultClient, server.metrics+"/metrics", "")
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	require.NoError(t, err)
	for _, p := range problems {
		require.False(t, strings.HasPrefix(p.Metric, "deed_"), "%s: %s", p.Metric, p.Text)
	}
	orchestrator := metricstest.Parse(text)
	require.Equal(t, 1, orchestrator[`deed_process_transitions_total{to="completed"}`])
	require.GreaterOrEqual(t, orchestrator[`deed_tasks_total{event="confirmed"}`], 75)
	require.Equal(t, 64, orchestrator["deed_shards_held"])
	require.Equal(t, 1, orchestrator["deed_nats_connected"])
	require.Positive(t, orchestrator[`deed_stream_messages{stream="events"}`])
	require.Contains(t, orchestrator, "deed_quarantine_messages")
	require.Positive(t, orchestrator[`deed_api_requests_total{code="200",method="POST",route="/v1/processes/{id}/commands"}`])
	require.Positive(t, orchestrator["deed_data_free_bytes"])
	_, text = get(t, http.DefaultClient, worker.metrics+"/metrics", "")
	require.GreaterOrEqual(t, metricstest.Parse(text)[`deed_worker_tasks_total{handler="words/count",outcome="done"}`], 66)
	for _, id := range []string{`"p"`, "61-2-peter"} {
		require.NotContains(t, text, id, "nothing of a process is a label")
	}
	status, text := get(t, http.DefaultClient, server.url+"/metrics", "")
	require.Equal(t, http.StatusOK, status, "the API tells them, too")
	require.Contains(t, text, "deed_shards_held 64")

	require.NoError(t, server.Process.Kill())
	_ = server.Wait()
	require.Eventually(t, func() bool { return !ready() }, 30*time.Second, 20*time.Millisecond, "a worker without a server is not ready")
	_, text = get(t, http.DefaultClient, worker.metrics+"/readyz", "")
	require.NotContains(t, text, `"ok"`)
	status, _ = get(t, http.DefaultClient, worker.metrics+"/healthz", "")
	require.Equal(t, http.StatusOK, status, "but it is alive")
	start(t, dir, true, "serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
	require.Eventually(t, ready, 30*time.Second, 20*time.Millisecond, "and goes on with the next")
}

func TestAWorkerShowsItsCertificateAndAsksForTheToken(t *testing.T) {
	dir := t.TempDir()
	authority := tlstest.New(t)
	ends := time.Now().Add(time.Hour).Truncate(time.Second)
	cert, key := authority.Issue(t, dir, ends, "localhost", "127.0.0.1")
	const token = "of-whoever-scrapes-0123456789"
	file := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	w := start(t, dir, false, "worker", "--metrics", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", key, "--metrics-token-file", file)
	require.True(t, strings.HasPrefix(w.metrics, "https://"), w.metrics)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Roots(), ServerName: "localhost"}}}
	defer client.CloseIdleConnections()
	status, text := get(t, client, w.metrics+"/metrics", token)
	require.Equal(t, http.StatusOK, status, text)
	require.Equal(t, int(ends.Unix()), metricstest.Parse(text)["deed_certificate_expiry_timestamp_seconds"])
	status, text = get(t, client, w.metrics+"/metrics", "")
	require.Equal(t, http.StatusUnauthorized, status)
	require.NotContains(t, text, "deed_")
	status, _ = get(t, client, w.metrics+"/healthz", "")
	require.Equal(t, http.StatusOK, status, "a probe needs no token")
	status, text = get(t, http.DefaultClient, w.metrics+"/metrics", token)
	require.Zero(t, status, "who does not believe the authority says no more: %s", text)
}

func TestAutoscaleTellsItsDecisionsAndKeepsTheAddressToItself(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, true, "serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
	t.Setenv("DEED_METRICS", "127.0.0.1:0")
	s := start(t, dir, false, "autoscale", "--min", "1", "--max", "1", "--interval", "100ms")
	require.Eventually(t, func() bool {
		_, text := get(t, http.DefaultClient, s.metrics+"/metrics", "")
		m := metricstest.Parse(text)
		return m[`deed_autoscale_workers{pool="default"}`] == 1 && m[`deed_autoscale_looks_total{outcome="seen"}`] > 1 &&
			m[`deed_autoscale_decisions_total{kind="began",pool="default"}`] == 1
	}, 30*time.Second, 50*time.Millisecond)
	status, _ := get(t, http.DefaultClient, s.metrics+"/readyz", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []string{"PATH=/bin", "DEED_POOL=gpu"}, unwatched([]string{"PATH=/bin", "DEED_METRICS=127.0.0.1:1", "DEED_TLS_CERT=c", "DEED_POOL=gpu", "DEED_METRICS_TOKEN_FILE=t"}))
}

func TestEveryCommandThatAnAlertNamesIsOne(t *testing.T) {
	text, err := os.ReadFile("../../deploy/prometheus/rules.yml")
	require.NoError(t, err)
	root := (&app{}).root()
	commands := regexp.MustCompile("`deed ([a-z ]*[a-z])").FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(commands), 20)
	for _, m := range commands {
		cmd, rest, err := root.Find(strings.Fields(m[1]))
		require.NoError(t, err, m[1])
		require.NotEqual(t, root, cmd, m[1])
		require.Empty(t, rest, m[1])
	}
}
