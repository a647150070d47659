package nats_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
)

// damaged is a server on a log in which one byte of a message was altered while
// nobody served it.
func damaged(t *testing.T, message string, write func(s *events.Store)) *natsconn.Server {
	t.Helper()
	dir := t.TempDir()
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: dir})
	require.NoError(t, err)
	conn, err := server.Connect(natsconn.ConnOptions{Name: "test"})
	require.NoError(t, err)
	driver, err := eventsnats.Open(t.Context(), conn, eventsnats.Options{})
	require.NoError(t, err)
	write(events.New(driver))
	conn.Close()
	server.Close()
	blocks, err := filepath.Glob(filepath.Join(dir, "jetstream/*/streams/DEED_EVENTS/msgs/*.blk"))
	require.NoError(t, err)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		data, err := os.ReadFile(block)
		require.NoError(t, err)
		if at := bytes.LastIndex(data, []byte(message)); at >= 0 {
			data[at] ^= 1
			require.NoError(t, os.WriteFile(block, data, 0o600))
			return start(t, natsconn.ServerOptions{Dir: dir})
		}
	}
	t.Fatalf("%q is in no block", message)
	return nil
}

func TestAStreamWithACommitThatCannotBeReadIsDamagedWhicheverItIs(t *testing.T) {
	written := []string{"one", "two", "three"}
	for i, which := range written {
		t.Run(which, func(t *testing.T) {
			s := open(t, damaged(t, `"`+which+`"`, func(s *events.Store) {
				for v, text := range written {
					_, err := s.Append(t.Context(), "hurt", events.Exactly(uint64(v)), text+"-id", note(text))
					require.NoError(t, err)
				}
				_, err := s.Append(t.Context(), "healthy", events.NoStream(), "c", note("x"))
				require.NoError(t, err)
			}), eventsnats.Options{})

			var broken *events.DamagedError
			read := 0
			for _, err := range s.Read(t.Context(), "hurt", 0) {
				if err != nil {
					require.ErrorAs(t, err, &broken)
					break
				}
				read++
			}
			require.Equal(t, i, read, "what comes before it is read, then it is said that there is more")
			require.NotNil(t, broken)

			_, err := s.Append(t.Context(), "hurt", events.NoStream(), "again", note("as if nothing had been there"))
			require.Error(t, err)
			if i == len(written)-1 {
				require.ErrorAs(t, err, &broken)
				require.ErrorContains(t, err, `the history in stream "hurt" is damaged: its last commit cannot be read; restore the log "DEED_EVENTS" from a copy`)
				_, err = s.Version(t.Context(), "hurt")
				require.ErrorAs(t, err, &broken)
				_, err = s.Append(t.Context(), "hurt", events.Any(), "again", note("behind what is lost"))
				require.ErrorAs(t, err, &broken)
			}

			ends := map[string]int{}
			for c, err := range s.Ends(t.Context(), "") {
				require.NoError(t, err)
				ends[c.Stream] = len(c.Events)
			}
			require.Equal(t, map[string]int{"healthy": 1, "hurt": map[bool]int{true: 0, false: 1}[i == len(written)-1]}, ends)

			version, err := s.Append(t.Context(), "healthy", events.Exactly(1), "c2", note("y"))
			require.NoError(t, err, "the others go on")
			require.EqualValues(t, 2, version)
		})
	}
}
