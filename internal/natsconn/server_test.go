package natsconn_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed/internal/natsconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o natsconn.ServerOptions) *natsconn.Server {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := natsconn.Start(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func connect(t *testing.T, s *natsconn.Server) jetstream.JetStream {
	t.Helper()
	nc, err := s.Connect(natsconn.ConnOptions{Name: t.Name()})
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return js
}

// alter inverts one byte of a file.
func alter(path string, at int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	b := make([]byte, 1)
	_, err = f.ReadAt(b, at)
	b[0] = ^b[0]
	_, writeErr := f.WriteAt(b, at)
	return errors.Join(err, writeErr, f.Close())
}

func TestServer(t *testing.T) {
	t.Run("what was acknowledged is there after a restart on the same directory", func(t *testing.T) {
		dir := t.TempDir()
		s := start(t, natsconn.ServerOptions{Dir: dir})
		js := connect(t, s)
		_, err := natsconn.EnsureStream(t.Context(), js, jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
		require.NoError(t, err)
		_, err = js.Publish(t.Context(), "s.a", []byte("kept"))
		require.NoError(t, err)
		s.Close()

		js = connect(t, start(t, natsconn.ServerOptions{Dir: dir}))
		stream, err := js.Stream(t.Context(), "S")
		require.NoError(t, err)
		m, err := stream.GetLastMsgForSubject(t.Context(), "s.a")
		require.NoError(t, err)
		assert.Equal(t, "kept", string(m.Data))
	})

	t.Run("a client reaches it by URL and token", func(t *testing.T) {
		s := start(t, natsconn.ServerOptions{})
		assert.True(t, strings.HasPrefix(s.URL(), "nats://127.0.0.1:"), s.URL())
		nc, err := natsconn.Connect(t.Context(), s.URL(), s.Token(), natsconn.ConnOptions{})
		require.NoError(t, err)
		defer nc.Close()
		assert.EqualValues(t, natsconn.DefaultMaxPayload, nc.MaxPayload())
		assert.Equal(t, "deed", nc.Opts.Name)
	})

	t.Run("an in-process server has no address and still serves", func(t *testing.T) {
		s := start(t, natsconn.ServerOptions{InProcessOnly: true})
		assert.Empty(t, s.URL())
		_, err := connect(t, s).AccountInfo(t.Context())
		assert.NoError(t, err)
	})

	t.Run("a directory in use is refused, naming who holds it", func(t *testing.T) {
		dir := t.TempDir()
		s := start(t, natsconn.ServerOptions{Dir: dir})
		_, err := natsconn.Start(natsconn.ServerOptions{Dir: dir})
		require.Error(t, err)
		assert.ErrorContains(t, err, dir)
		assert.ErrorContains(t, err, fmt.Sprintf("process %d at %s", os.Getpid(), s.URL()))
		s.Close()
		s.Close()
		start(t, natsconn.ServerOptions{Dir: dir})
	})

	t.Run("a directory whose stream cannot be recovered is refused, not taken for empty", func(t *testing.T) {
		dir := t.TempDir()
		s := start(t, natsconn.ServerOptions{Dir: dir})
		_, err := natsconn.EnsureStream(t.Context(), connect(t, s), jetstream.StreamConfig{Name: "PRECIOUS", Subjects: []string{"p"}})
		require.NoError(t, err)
		s.Close()
		meta := filepath.Join(dir, "jetstream", "$G", "streams", "PRECIOUS", "meta.inf")
		require.NoError(t, os.WriteFile(meta, []byte("garbage"), 0o600))

		_, err = natsconn.Start(natsconn.ServerOptions{Dir: dir})
		require.ErrorContains(t, err, `"PRECIOUS" is on disk but cannot be recovered`)
		assert.ErrorContains(t, err, "checksums do not match")
	})

	t.Run("a log that became shorter is refused before the server cuts it further", func(t *testing.T) {
		log := func(dir string) string {
			return filepath.Join(dir, "jetstream", "$G", "streams", "LOG", "msgs", "1.blk")
		}
		for name, c := range map[string]struct {
			harm func(file string) error
			says []string
		}{
			"cut":     {func(f string) error { return os.Truncate(f, 200) }, []string{"1.blk", "has 200 bytes and had at least"}},
			"removed": {os.Remove, []string{"1.blk", "cannot be found"}},
			"altered, and read anew because the last server was killed": {func(f string) error {
				return errors.Join(alter(f, 300), os.Remove(filepath.Join(filepath.Dir(f), "index.db")))
			}, []string{"it ends at message 3 and had 20"}},
		} {
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				s := start(t, natsconn.ServerOptions{Dir: dir})
				js := connect(t, s)
				_, err := natsconn.EnsureStream(t.Context(), js, jetstream.StreamConfig{Name: "LOG", Subjects: []string{"l"}, DenyDelete: true, DenyPurge: true})
				require.NoError(t, err)
				for range 20 {
					_, err := js.Publish(t.Context(), "l", make([]byte, 50))
					require.NoError(t, err)
				}
				s.Close()
				start(t, natsconn.ServerOptions{Dir: dir}).Close() // unharmed it is served again
				require.NoError(t, c.harm(log(dir)))

				_, err = natsconn.Start(natsconn.ServerOptions{Dir: dir})
				for _, says := range append(c.says, `stream "LOG" has lost messages`, "restore the directory from a copy", "server.tail") {
					require.ErrorContains(t, err, says)
				}
				_, err = natsconn.Start(natsconn.ServerOptions{Dir: dir})
				require.ErrorContains(t, err, `stream "LOG" has lost messages`, "the refusal does not wear off")
				require.NoError(t, os.Remove(filepath.Join(dir, "server.tail")))
				start(t, natsconn.ServerOptions{Dir: dir})
			})
		}
	})

	t.Run("a log whose old messages may be purged is held to its end only", func(t *testing.T) {
		dir := t.TempDir()
		messages := filepath.Join(dir, "jetstream", "$G", "streams", "LOG", "msgs")
		s := start(t, natsconn.ServerOptions{Dir: dir, NoSync: true})
		js := connect(t, s)
		_, err := natsconn.EnsureStream(t.Context(), js, jetstream.StreamConfig{Name: "LOG", Subjects: []string{"l"}, DenyDelete: true})
		require.NoError(t, err)
		publish := func(js jetstream.JetStream, times int) {
			for range times {
				_, err := js.Publish(t.Context(), "l", make([]byte, 1<<20))
				require.NoError(t, err)
			}
		}
		publish(js, 3)
		s.Close()

		s = start(t, natsconn.ServerOptions{Dir: dir, NoSync: true})
		js = connect(t, s)
		publish(js, 20) // into files that follow
		log, err := js.Stream(t.Context(), "LOG")
		require.NoError(t, err)
		record, err := os.ReadFile(filepath.Join(dir, "server.tail"))
		require.NoError(t, err)
		require.NoError(t, log.Purge(t.Context(), jetstream.WithPurgeSequence(23)))
		require.NoFileExists(t, filepath.Join(messages, "1.blk"))
		s.Close()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "server.tail"), record, 0o600)) // of one that is killed
		s = start(t, natsconn.ServerOptions{Dir: dir})
		s.Close()

		files, err := filepath.Glob(filepath.Join(messages, "*.blk"))
		require.NoError(t, err)
		require.Len(t, files, 1)
		require.NoError(t, os.Truncate(files[0], 1<<19))
		_, err = natsconn.Start(natsconn.ServerOptions{Dir: dir})
		require.ErrorContains(t, err, `stream "LOG" has lost messages`)
		require.ErrorContains(t, err, "has 524288 bytes and had at least")
		require.NoError(t, os.Remove(files[0]))
		_, err = natsconn.Start(natsconn.ServerOptions{Dir: dir})
		require.ErrorContains(t, err, "cannot be found")
	})

	t.Run("a damaged record of the streams' ends is ignored, and written anew", func(t *testing.T) {
		dir := t.TempDir()
		record := filepath.Join(dir, "server.tail")
		require.NoError(t, os.WriteFile(record, []byte("junk"), 0o600))
		start(t, natsconn.ServerOptions{Dir: dir}).Close()
		written, err := os.ReadFile(record)
		require.NoError(t, err)
		assert.JSONEq(t, "{}", string(written))
	})

	t.Run("what cannot work is said before anything starts", func(t *testing.T) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer taken.Close()
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		for name, c := range map[string]struct {
			o    natsconn.ServerOptions
			says string
		}{
			"no directory":      {natsconn.ServerOptions{}, "no directory given"},
			"a file":            {natsconn.ServerOptions{Dir: file}, "not a directory"},
			"no port":           {natsconn.ServerOptions{Dir: t.TempDir(), Listen: "localhost"}, "host:port"},
			"a port too high":   {natsconn.ServerOptions{Dir: t.TempDir(), Listen: "localhost:99999"}, "no port number"},
			"a port taken":      {natsconn.ServerOptions{Dir: t.TempDir(), Listen: taken.Addr().String()}, "address already in use"},
			"a negative limit":  {natsconn.ServerOptions{Dir: t.TempDir(), MaxPayload: -1}, "largest message"},
			"an excessive size": {natsconn.ServerOptions{Dir: t.TempDir(), MaxPayload: 1 << 40}, "largest message"},
		} {
			_, err := natsconn.Start(c.o)
			require.ErrorContains(t, err, c.says, name)
		}
	})
}
