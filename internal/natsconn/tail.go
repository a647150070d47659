package natsconn

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// tailName is the file in a server's directory that says how far its streams
// had come when a server last ended in order. Only streams that forbid deletion
// are in it: they never become shorter, so one that did was damaged. A server
// that was killed leaves the file of the one before, which stays true.
const tailName = "server.tail"

// tail is how far one stream had come.
type tail struct {
	Last  uint64           `json:"last"`  // sequence
	Files map[string]int64 `json:"files"` // the files that hold its messages, and their least sizes
}

// readTails returns none if there is no record, or none that can be read: it
// is a second opinion, and the streams can do without.
func readTails(dir string) map[string]tail {
	data, err := os.ReadFile(filepath.Join(dir, tailName))
	if err != nil {
		return nil
	}
	var tails map[string]tail
	if json.Unmarshal(data, &tails) != nil {
		return nil
	}
	return tails
}

// checkFiles compares what lies on disk with the record, before a server
// starts: that would cut a damaged file at its first bad byte, and take what is
// left of it for the whole.
func checkFiles(dir string, tails map[string]tail) error {
	for name, t := range tails {
		for file, size := range t.Files {
			path := filepath.Join(messagesDir(dir, name), file)
			info, err := os.Stat(path)
			switch {
			case err != nil:
				return damaged(dir, name, fmt.Sprintf("the file %q cannot be found (%v)", path, err))
			case info.Size() < size:
				return damaged(dir, name, fmt.Sprintf("the file %q has %d bytes and had at least %d", path, info.Size(), size))
			}
		}
	}
	return nil
}

// checkTails compares what the server recovered with the record.
func checkTails(srv *server.Server, dir string, tails map[string]tail) error {
	if len(tails) == 0 {
		return nil
	}
	last := map[string]uint64{}
	for _, s := range streams(srv) {
		last[s.Name] = s.State.LastSeq
	}
	for name, t := range tails {
		if last[name] < t.Last {
			return damaged(dir, name, fmt.Sprintf("it ends at message %d and had %d", last[name], t.Last))
		}
	}
	return nil
}

func damaged(dir, stream, what string) error {
	return fmt.Errorf("stream %q has lost messages: %s: restore the directory from a copy, or remove %q to go on without them",
		stream, what, filepath.Join(dir, tailName))
}

// writeTails records how far the streams of a server have come. It is written
// while the server still runs; its files only grow until the end.
func writeTails(srv *server.Server, dir string) {
	tails := map[string]tail{}
	for _, s := range streams(srv) {
		if s.Config == nil || !s.Config.DenyDelete || !s.Config.DenyPurge || s.Config.Storage != server.FileStorage {
			continue
		}
		t := tail{Last: s.State.LastSeq, Files: map[string]int64{}}
		entries, _ := os.ReadDir(messagesDir(dir, s.Name)) // none: only the sequence is recorded
		for _, e := range entries {
			if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ".blk") {
				t.Files[e.Name()] = info.Size()
			}
		}
		tails[s.Name] = t
	}
	data, err := json.Marshal(tails)
	next := filepath.Join(dir, tailName+".new")
	if err == nil && os.WriteFile(next, data, 0o600) == nil {
		_ = os.Rename(next, filepath.Join(dir, tailName)) // without it the older record stays, which is as true
	}
}

func messagesDir(dir, stream string) string {
	return filepath.Join(streamsDir(dir), stream, "msgs")
}

func streams(srv *server.Server) []server.StreamDetail {
	info, err := srv.Jsz(&server.JSzOptions{Accounts: true, Streams: true, Config: true})
	if err != nil {
		return nil
	}
	var all []server.StreamDetail
	for _, account := range info.AccountDetails {
		all = append(all, account.Streams...)
	}
	return all
}
