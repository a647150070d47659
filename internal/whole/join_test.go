package whole_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
)

func TestAServerThatEndsWhileItIsJoinedIsUnreachableAndNoInterruption(t *testing.T) {
	dir := t.TempDir()
	announced := filepath.Join(dir, "server.json")
	url, asked := speechless(t)
	data, err := json.Marshal(map[string]any{"url": url, "pid": os.Getpid()})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(announced, data, 0o600))
	go func() {
		<-asked
		assert.NoError(t, os.Remove(announced))
	}()
	_, err = deed.Open(t.Context(), deed.Options{Dir: dir, Join: true})
	var unreachable *deed.UnreachableError
	require.ErrorAs(t, err, &unreachable, "a worker waits for the next server")
	require.ErrorContains(t, err, "its server ended meanwhile")
}

func TestAFolderThatIsOnlyReadForLongIsUnreachableForAnotherReason(t *testing.T) {
	t.Parallel() // it takes as long as the patience with it
	dir := t.TempDir()
	reader, err := deed.Open(t.Context(), deed.Options{Dir: dir, ReadOnly: true})
	require.NoError(t, err)
	defer reader.Close()
	_, err = deed.Open(t.Context(), deed.Options{Dir: dir})
	var unreachable *deed.UnreachableError
	require.ErrorAs(t, err, &unreachable)
	require.ErrorContains(t, err, fmt.Sprintf("try again later: open folder %q: start server in %q: the directory is in use by process %d", dir, filepath.Join(dir, "nats"), os.Getpid()))
	require.NotContains(t, err.Error(), "start `deed run` on it", "that is what was tried")
}

// speechless is a NATS server that takes connections and answers no request;
// asked is closed with the first one.
func speechless(t *testing.T) (url string, asked <-chan struct{}) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	got := make(chan struct{})
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Write([]byte(`INFO {"server_id":"x","version":"2.12.0","headers":true,"max_payload":1048576}` + "\r\n"))
		once := false
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			switch line := lines.Text(); {
			case line == "PING":
				_, _ = conn.Write([]byte("PONG\r\n"))
			case strings.HasPrefix(line, "PUB "), strings.HasPrefix(line, "HPUB "):
				if !once {
					once = true
					close(got)
				}
			}
		}
	}()
	return "nats://" + listener.Addr().String(), got
}
