package whole_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/events"
	natsevents "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/internal/natsproc"
	"github.com/deedrun/deed/queue"
	natsqueue "github.com/deedrun/deed/queue/nats"
)

func TestTheServerOfAFolderKeepsEachStreamAsSafeAsItsDataHasToBe(t *testing.T) {
	dir := t.TempDir()
	r, err := deed.Open(t.Context(), deed.Options{Dir: dir})
	require.NoError(t, err)
	defer r.Close()
	var at struct{ URL, Token string }
	data, err := os.ReadFile(filepath.Join(dir, "server.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &at))
	nc, err := natsconn.Connect(t.Context(), at.URL, at.Token, natsconn.ConnOptions{})
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)

	have := map[string]string{}
	streams := js.ListStreams(t.Context())
	for s := range streams.Info() {
		have[s.Config.Name] = fmt.Sprintf("%s, %s, %d replica", s.Config.Storage, s.Config.PersistMode, s.Config.Replicas)
	}
	require.NoError(t, streams.Err())
	require.Equal(t, map[string]string{
		"DEED_EVENTS":     "File, Default, 1 replica",
		"deed-quarantine": "File, Default, 1 replica",
		"deed-inbox":      "File, Async, 1 replica",
		"deed-work":       "File, Async, 1 replica",
	}, have)
}

func TestEventsAreSyncedToDiskBeforeTheyAreAcknowledgedAndTheInboxIsNot(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	server := traced(t, trace)
	nc, err := natsconn.Connect(t.Context(), server.URL(), "trace me", natsconn.ConnOptions{})
	require.NoError(t, err)
	defer nc.Close()
	driver, err := natsevents.Open(t.Context(), nc, natsevents.Options{})
	require.NoError(t, err)
	store := events.New(driver)
	const times = 20
	for version := range uint64(times) {
		_, err := store.Append(t.Context(), "a", events.Exactly(version), fmt.Sprintf("commit-%02d", version+1), events.Record{Type: "Noted", Data: []byte("1")})
		require.NoError(t, err)
	}
	for _, name := range []string{"inbox", "quarantine"} {
		q, err := natsqueue.Open(t.Context(), nc, natsqueue.Options{Name: name, Async: name == "inbox"})
		require.NoError(t, err)
		for i := range times {
			require.NoError(t, q.Send(t.Context(), queue.Message{Key: fmt.Sprintf("message-%02d", i+1)}))
		}
	}
	require.NoError(t, server.Stop())

	calls := readTrace(t, trace)
	for _, stream := range []string{"DEED_EVENTS", "deed-quarantine"} {
		for seq := 1; seq <= times; seq++ {
			written, synced, acknowledged := calls.of(stream, seq)
			require.Positive(t, acknowledged, "no acknowledgement of message %d of %s", seq, stream)
			require.True(t, 0 < written && written < synced && synced < acknowledged,
				"message %d of %s: written at line %d of the trace, synced at %d, acknowledged at %d", seq, stream, written, synced, acknowledged)
		}
	}
	for seq := 1; seq <= times; seq++ {
		_, synced, acknowledged := calls.of("deed-inbox", seq)
		require.Positive(t, acknowledged)
		require.Zero(t, synced, "message %d of the inbox was synced, which takes time and is of no use", seq)
	}
}

// traced is a server under strace.
func traced(t *testing.T, trace string) *natsproc.Process {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed, so what is synced when cannot be seen; on Debian: apt-get install strace")
	}
	if out, err := exec.CommandContext(t.Context(), strace, "-f", "-o", trace, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here, so what is synced when cannot be seen: %s", out)
	}
	server, err := natsproc.Start(t.Context(), natsproc.Options{
		Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "trace me",
		Under: []string{
			strace, "-f", "-y", "-s", "1024", "-o", trace,
			"-e", "trace=write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync",
		},
	})
	require.NoError(t, err)
	return server
}

// syscalls are those of a process: the lines of a trace, in their order. One
// during which another thread did something has two lines, and the second one
// has the arguments of both.
type syscalls []string

func readTrace(t *testing.T, name string) syscalls {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	all := syscalls{""} // no call is at line 0
	began := map[string]string{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		thread, call, _ := strings.Cut(line, " ")
		if arguments, ok := strings.CutSuffix(call, "<unfinished ...>"); ok {
			began[thread] = arguments
		}
		if _, result, ok := strings.Cut(call, " resumed>"); ok {
			line = thread + " " + began[thread] + result
		}
		all = append(all, line)
	}
	require.NoError(t, lines.Err())
	return all
}

// of is when a message was written to the file of its stream, when that file
// was synced after that, and when the message was acknowledged to the client; 0 is never.
// What was begun counts for an acknowledgement, what has returned for the others.
func (calls syscalls) of(stream string, seq int) (written, synced, acknowledged int) {
	file := stream + "/msgs/"
	ack := fmt.Sprintf(`{\"stream\":\"%s\",\"seq\":%d}`, stream, seq)
	for n, call := range calls {
		returned := !strings.HasSuffix(call, "<unfinished ...>")
		switch {
		case acknowledged == 0 && strings.Contains(call, ack):
			acknowledged = n
		case !strings.Contains(call, file) || !returned:
		case strings.Contains(call, "pwrite64(") && written == 0 && strings.Contains(call, text(stream, seq)):
			written = n
		case strings.Contains(call, "sync(") && strings.HasSuffix(call, "= 0") && written > 0 && synced == 0:
			synced = n
		}
	}
	return written, synced, acknowledged
}

// text occurs in the message that the test sent as the seqth of a stream, and
// in no other.
func text(stream string, seq int) string {
	if stream == "DEED_EVENTS" {
		return fmt.Sprintf("commit-%02d", seq)
	}
	return fmt.Sprintf("message-%02d", seq)
}
