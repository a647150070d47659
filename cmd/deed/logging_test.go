//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// record is a line of a log in json.
type record map[string]any

func (r record) has(keys ...string) bool {
	for _, k := range keys {
		if _, there := r[k]; !there {
			return false
		}
	}
	return true
}

// records reads standard error, each line of which is one.
func records(t *testing.T, stderr string) (all []record) {
	t.Helper()
	for line := range strings.Lines(stderr) {
		var r record
		require.NoError(t, json.Unmarshal([]byte(line), &r), "not a record: %s", line)
		require.True(t, r.has("time", "level", "msg"), line)
		all = append(all, r)
	}
	return all
}

func saying(all []record, msg string) (found []record) {
	for _, r := range all {
		if r["msg"] == msg {
			found = append(found, r)
		}
	}
	return found
}

const unlucky = `deed: v1
name: unlucky
inputs: [in]
steps:
  try:
    sh: 'test "$DEED_INDEX" != 1 || { echo no luck >&2; exit 3; }; echo "$DEED_INDEX" > "$DEED_OUT/out"'
    each: in
    out: [out]
    retry: {attempts: 2, backoff: 10ms}
outputs: [out]
`

func TestALogInJSONIsARecordALineAndNamesTasksByTheSameKeys(t *testing.T) {
	c, dir := newCollector(t), t.TempDir()
	write(t, dir, map[string]string{"def.yaml": unlucky, "in/a": "", "in/b": "", "in/c": ""})
	up := deedCommand(t, dir, "up", "--data", "d", "--listen", "127.0.0.1:0", "--log-format", "json")
	up.Env = append(append(up.Env, c.environment()...), "DEED_LOG_LEVEL=debug")
	ended := begin(t, up)
	submit := deedCommand(t, dir, "submit", "def.yaml", "--in", "in=in", "--id", "p", "--data", "d", "--wait")
	submit.Env = append(submit.Env, c.environment()...)
	require.Eventually(t, func() bool { return deedIn(t, dir, "ps", "--data", "d").code == 0 }, time.Minute, 50*time.Millisecond)
	out := finish(t, submit)
	require.Equal(t, 1, out.code, out.stderr)
	require.NoError(t, up.Process.Signal(syscall.SIGTERM))
	all := records(t, ended().stderr)

	for _, r := range all {
		if r.has("address") && r["msg"] != "orchestrator: a process failed" {
			assert.True(t, r.has("process", "attempt", "generation"), "%v", r)
			assert.True(t, r.has("index") || r.has("tasks"), "%v", r)
		}
		if r.has("process") {
			assert.True(t, r.has("trace_id"), "%v", r)
		}
		if strings.HasPrefix(r["msg"].(string), "worker: ") {
			assert.True(t, r.has("worker"), "%v", r)
		}
	}
	failed := saying(all, "worker: a task failed")
	require.Len(t, failed, 2)
	for i, r := range failed {
		require.Equal(t, []any{"p", "try", 1.0, float64(i + 1), 0.0, "retry"}, []any{r["process"], r["address"], r["index"], r["attempt"], r["generation"], r["verdict"]})
	}
	require.Len(t, saying(all, "worker: a task is done"), 2)
	require.Len(t, saying(all, "orchestrator: tasks failed"), 2)
	require.Len(t, saying(all, "orchestrator: a process started"), 1)
	require.Len(t, saying(all, "orchestrator: a process failed"), 1)
	require.Len(t, saying(all, "serving the folder d"), 1, "what is said to people is a record, too")
}

func TestWhyACommandEndedIsARecordToo(t *testing.T) {
	dir := t.TempDir()
	ended := deedIn(t, dir, "worker", "--nats", "nats://127.0.0.1:1", "--log-format", "json")
	all := records(t, ended.stderr)
	require.Len(t, all, 1)
	require.Equal(t, "ERROR", all[0]["level"])
	require.Contains(t, all[0]["msg"], "--blobs")
	require.Equal(t, exitUsage, ended.code)
}

func TestALevelOrFormOfLogThatIsNoneIsRefused(t *testing.T) {
	for _, args := range [][]string{{"--log-level", "loud"}, {"--log-format", "xml"}} {
		ended := deedIn(t, t.TempDir(), append([]string{"ps"}, args...)...)
		require.Equal(t, exitUsage, ended.code)
		require.Contains(t, ended.stderr, args[1])
	}
}

func TestARecordOfAStartedWorkerStaysOneAndEveryOtherLineBecomesOne(t *testing.T) {
	var out bytes.Buffer
	a := &app{stderr: &out, logging: logging{format: "json", level: "error"}}
	require.NoError(t, a.beginLog())
	_, _ = io.WriteString(a.stderr, "first\n\n[7] {\"time\":\"t\",\"level\":\"WARN\",\"msg\":\"from a worker\"}\n[7] {half\n[8] working for x\nno e")
	_, _ = io.WriteString(a.stderr, "nd yet")
	a.log().Warn("below the level")
	a.complain("it is over")
	var said []string
	for _, r := range records(t, out.String()) {
		said = append(said, r["level"].(string)+" "+r["msg"].(string))
	}
	require.Equal(t, []string{"INFO first", "WARN from a worker", "INFO [7] {half", "INFO [8] working for x", "INFO no end yet", "ERROR it is over"}, said)
	require.Equal(t, []string{"DEED_LOG_FORMAT=json", "DEED_LOG_LEVEL=error"}, a.logging.passOn(nil))
}
