package natsconn

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
)

// lockName is the file in a server's directory whose lock says that a process
// serves from it; it holds that process's number and address, for the error of
// the next one.
const lockName = "server.lock"

// ErrInUse is wrapped by the error of Start for a directory that another
// server serves from.
var ErrInUse = errors.New("the directory is in use")

// lockDir makes this process the only one that serves from dir.
func lockDir(dir string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(dir, lockName))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the directory: %w", err)
	}
	if !got {
		holder, _ := os.ReadFile(lock.Path())
		if len(holder) == 0 {
			holder = []byte("another process")
		}
		return nil, fmt.Errorf("%w by %s: connect to that server, stop it, or choose another directory", ErrInUse, holder)
	}
	return lock, nil
}

// streamsDir is where the server keeps the streams of its one account.
func streamsDir(dir string) string {
	return filepath.Join(dir, server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams")
}

// storedStreams names the streams on disk. A folder with a leading dot is one
// being deleted.
func storedStreams(dir string) []string {
	entries, _ := os.ReadDir(streamsDir(dir)) // none yet is no stream
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// missing lists those of the streams on disk that the server does not have.
func missing(srv *server.Server, stored []string) []string {
	info, err := srv.Jsz(&server.JSzOptions{Accounts: true, Streams: true})
	if err != nil {
		return []string{err.Error()}
	}
	running := map[string]bool{}
	for _, account := range info.AccountDetails {
		for _, stream := range account.Streams {
			running[stream.Name] = true
		}
	}
	var lost []string
	for _, name := range stored {
		if !running[name] {
			lost = append(lost, strconv.Quote(name))
		}
	}
	return lost
}
