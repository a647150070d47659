package natsconn

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// tailName is the file in a server's directory that says how far its streams
// had come when a server last began to serve or ended in order. Only streams
// that forbid the deletion of messages are in it: they never end earlier, so one
// that does was damaged. A purge takes away what is old, never the last message.
const tailName = "server.tail"

// tail is how far one stream had come.
type tail struct {
	Last  uint64           `json:"last"`  // sequence
	Files map[string]int64 `json:"files"` // files that hold its messages, and their least sizes

	// Purged says that what is old may be taken away. Then files become smaller
	// and vanish, but for the last one, so that only this one is in Files.
	Purged bool `json:"purged,omitempty"`
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
		last := lastFile(messageFiles(dir, name))
		for file, size := range t.Files {
			if t.Purged && number(last) > number(file) {
				continue
			}
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
// while the server runs; what is recorded of its files only grows.
func writeTails(srv *server.Server, dir string) {
	files := map[string]map[string]int64{}
	for _, name := range storedStreams(dir) {
		files[name] = messageFiles(dir, name)
	}
	// The server answers when what it was storing is synced: so that the files are
	// as large on disk, too, as they were found.
	tails := map[string]tail{}
	for _, s := range streams(srv) {
		if s.Config == nil || !s.Config.DenyDelete || s.Config.Storage != server.FileStorage {
			continue
		}
		t := tail{Last: s.State.LastSeq, Files: files[s.Name], Purged: !s.Config.DenyPurge}
		if last := lastFile(t.Files); t.Purged && last != "" {
			t.Files = map[string]int64{last: t.Files[last]}
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

// messageFiles are the files on disk that hold the messages of a stream, and
// their sizes.
func messageFiles(dir, stream string) map[string]int64 {
	files := map[string]int64{}
	entries, _ := os.ReadDir(messagesDir(dir, stream)) // without it there are none
	for _, e := range entries {
		if info, err := e.Info(); err == nil && number(e.Name()) > 0 {
			files[e.Name()] = info.Size()
		}
	}
	return files
}

// lastFile is the one that the latest messages are in; empty if there is none.
func lastFile(files map[string]int64) string {
	last := ""
	for file := range files {
		if number(file) > number(last) {
			last = file
		}
	}
	return last
}

// number of a file of messages: the server counts them up from 1. 0: it is none.
func number(file string) int {
	digits, ok := strings.CutSuffix(file, ".blk")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return 0
	}
	return n
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
