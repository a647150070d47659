package deed

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// folder is the layout of a data folder:
//
//	nats/         the streams of the embedded server: events, queues
//	blobs/        what tasks read and write
//	tmp/<pid>/    what the programs of a worker process see, while they run
//	reads         where inputs lie that are not copied, a URL a line: data is read there, and nowhere else
//	server.json   while somebody serves the folder: where, the token, and where the events are if they are
//	              elsewhere, with user and password; readable by the owner only
type folder struct{ dir string }

// address is where the server of a folder is.
type address struct {
	URL    string `json:"url"`
	Token  string `json:"token"`
	PID    int    `json:"pid"`
	Events string `json:"events,omitempty"` // URL of the event store; empty: it is in the server
}

// NoFolderError says that there is no data yet.
type NoFolderError struct{ Dir string }

func (e *NoFolderError) Error() string {
	return fmt.Sprintf("there is no data folder %q: start something with `deed run`, or name another folder with --data", e.Dir)
}

func openFolder(name string, create bool) (folder, error) {
	dir, err := filepath.Abs(name)
	if err != nil {
		return folder{}, fmt.Errorf("open folder %q: %w", name, err)
	}
	if create {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return folder{}, fmt.Errorf("open folder %q: %w; choose another with --data", name, err)
		}
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return folder{}, &NoFolderError{name}
	case err != nil:
		return folder{}, fmt.Errorf("open folder %q: %w; choose another with --data", name, err)
	case !info.IsDir():
		return folder{}, fmt.Errorf("open folder %q: it is a file; choose another with --data", name)
	}
	return folder{dir: dir}, nil
}

func (f folder) streams() string { return filepath.Join(f.dir, "nats") }

func (f folder) blobs() string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(f.dir, "blobs"))}).String()
}

func (f folder) reads() string { return filepath.Join(f.dir, "reads") }

func (f folder) file() string { return filepath.Join(f.dir, "server.json") }

// announce tells other processes where the server is. The file appears whole
// or not at all.
func (f folder) announce(a address) error {
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

// crashed is where a server was that did not withdraw: the workers that it had
// come back to that address, with what they hold.
func (f folder) crashed() (last address, listen string) {
	last, err := f.read()
	if err != nil || alive(last.PID) {
		return address{}, ""
	}
	at, err := url.Parse(last.URL)
	if err != nil {
		return address{}, ""
	}
	return last, at.Host
}

func (f folder) withdraw() { _ = os.Remove(f.file()) }

// server is where the folder is served now; an *UnreachableError if nobody does.
func (f folder) server() (address, error) {
	a, err := f.read()
	if err == nil && !alive(a.PID) {
		err = fmt.Errorf("process %d, which served it, has ended", a.PID)
	}
	if err != nil {
		return a, &UnreachableError{fmt.Errorf("nobody serves the folder %q (%w): start `deed run` on it", f.dir, err)}
	}
	return a, nil
}

// Served says where the folder is served now; it changes with every server but
// one that takes the place of one that was killed. If that has not happened
// yet, it is where the killed one was, and not ok.
func Served(dir string) (url string, ok bool) {
	f, err := openFolder(dir, false)
	if err != nil {
		return "", false
	}
	a, err := f.server()
	return a.URL, err == nil
}

func (f folder) read() (address, error) {
	var a address
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
