// Package folder is the files of a data folder: where what lies, who serves it now,
// and what is removed after whoever did so and died. What is in the streams and the
// blobs is for others.
package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// Folder is a data folder:
//
//	nats/         the streams of the embedded server: events, queues
//	blobs/        what tasks read and write
//	tmp/<pid>/    what the programs of a worker process see, while they run
//	reads         where inputs lie that are not copied, a URL a line: data is read there, and nowhere else
//	server.json   while somebody serves the folder: where, the token, and where the events are if they are
//	              elsewhere, with user and password; readable by the owner only
type Folder struct{ dir string }

// Address is where the server of a folder is.
type Address struct {
	URL    string `json:"url"`
	Token  string `json:"token"`
	PID    int    `json:"pid"`
	Events string `json:"events,omitempty"` // URL of the event store; empty: it is in the server
}

// NoFolderError says that there is no data yet.
type NoFolderError struct{ Dir string }

// Is makes errors.Is(err, fs.ErrNotExist) true.
func (e *NoFolderError) Is(target error) bool { return target == fs.ErrNotExist }

func (e *NoFolderError) Error() string {
	return fmt.Sprintf("there is no data folder %q: start something with `deed run`, or name another folder with --data", e.Dir)
}

// Named is the folder of a name, whether it is there or not.
func Named(name string) (Folder, error) {
	dir, err := filepath.Abs(name)
	if err != nil {
		return Folder{}, fmt.Errorf("open folder %q: %w", name, err)
	}
	return Folder{dir: dir}, nil
}

// Open is the folder of a name. If it is not there it is made, if that is asked for,
// and else the error is a *NoFolderError.
func Open(name string, create bool) (Folder, error) {
	f, err := Named(name)
	if err != nil {
		return f, err
	}
	if create {
		if err := os.MkdirAll(f.dir, 0o700); err != nil {
			return Folder{}, fmt.Errorf("open folder %q: %w; choose another with --data", name, err)
		}
	}
	info, err := os.Stat(f.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Folder{}, &NoFolderError{name}
	case err != nil:
		return Folder{}, fmt.Errorf("open folder %q: %w; choose another with --data", name, err)
	case !info.IsDir():
		return Folder{}, fmt.Errorf("open folder %q: it is a file; choose another with --data", name)
	}
	return f, nil
}

// Dir is where it is, as an absolute path.
func (f Folder) Dir() string { return f.dir }

// Streams is where the embedded server keeps its streams.
func (f Folder) Streams() string { return filepath.Join(f.dir, "nats") }

// Blobs is the URL of the blob store.
func (f Folder) Blobs() string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(f.dir, "blobs"))}).String()
}

func (f Folder) reads() string { return filepath.Join(f.dir, "reads") }

func (f Folder) file() string { return filepath.Join(f.dir, "server.json") }

// Announce tells other processes where the server is. The file appears whole
// or not at all.
func (f Folder) Announce(a Address) error {
	data, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("announce the server: %w", err)
	}
	next := f.file() + ".new"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return fmt.Errorf("announce the server: %w", err)
	}
	if err := os.Rename(next, f.file()); err != nil {
		return fmt.Errorf("announce the server: %w", err)
	}
	return nil
}

// Crashed is where a server was that did not withdraw: the workers that it had
// come back to that address, with what they hold.
func (f Folder) Crashed() (last Address, listen string) {
	last, err := f.read()
	if err != nil || alive(last.PID) {
		return Address{}, ""
	}
	at, err := url.Parse(last.URL)
	if err != nil {
		return Address{}, ""
	}
	return last, at.Host
}

// Withdraw takes back what Announce told.
func (f Folder) Withdraw() { _ = os.Remove(f.file()) }

// Server is where the folder is served now; an *UnservedError if nobody does.
func (f Folder) Server() (Address, error) {
	a, err := f.read()
	if err == nil && !alive(a.PID) {
		err = fmt.Errorf("process %d, which served it, has ended", a.PID)
	}
	if err != nil {
		return a, &UnservedError{f.dir, err}
	}
	return a, nil
}

// UnservedError says that nobody serves a folder.
type UnservedError struct {
	Dir string
	err error // why that is known
}

func (e *UnservedError) Error() string {
	return fmt.Sprintf("nobody serves the folder %q (%v): start `deed run` on it", e.Dir, e.err)
}

func (e *UnservedError) Unwrap() error { return e.err }

// Served says where the folder is served now; it changes with every server but
// one that takes the place of one that was killed. If that has not happened
// yet, it is where the killed one was, and not ok.
func Served(dir string) (url string, ok bool) {
	f, err := Open(dir, false)
	if err != nil {
		return "", false
	}
	a, err := f.Server()
	return a.URL, err == nil
}

func (f Folder) read() (Address, error) {
	var a Address
	data, err := os.ReadFile(f.file())
	if errors.Is(err, fs.ErrNotExist) {
		return a, errors.New("there is no server.json in it")
	}
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return a, fmt.Errorf("server.json cannot be read: %w", err)
	}
	return a, nil
}
