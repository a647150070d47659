package deed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/doctor"
	"github.com/deedrun/deed/internal/natsconn"
	natsqueue "github.com/deedrun/deed/queue/nats"
)

// Finding is what a check of an examination found.
type Finding = doctor.Finding

// Examination says what is examined, and how advice about it is written.
type Examination struct {
	// Options name it: Dir, or Server with its Blobs. What else they say of a
	// runtime means nothing.
	Options

	// Program is how people call it; "": deed. Ask writes the command line of who
	// asks there; nil: as Options say.
	Program string
	Ask     func(words ...string) string

	// Secrets are files that hold tokens or keys, Certificates those that a server
	// shows.
	Secrets, Certificates []string

	// StreamsOnly is for who has just mended one.
	StreamsOnly bool

	role    func(words ...string) string // the command line of who works there
	machine doctor.Machine               // tests
}

// Mendable are the checks that Mend knows.
func Mendable() []string { return doctor.Mendable() }

// reachWithin is how long a server has to answer whoever examines it.
const reachWithin = 5 * time.Second

// Examine looks for what is wrong. It opens nothing the way a runtime does, so
// that it also examines what a runtime refuses, and changes nothing but for a
// probe in the blob store. A folder that nobody serves is kept from others for
// the moment that it takes.
func Examine(ctx context.Context, e Examination) []Finding {
	x := e.begin(ctx)
	defer x.end()
	return doctor.Examine(ctx, x.place)
}

// Mend gives the stream of a check the settings that it needs, and says what it
// did. See [doctor.Mend].
func Mend(ctx context.Context, e Examination, check string) (string, error) {
	x := e.begin(ctx)
	defer x.end()
	switch {
	case x.place.Folder != nil && x.place.Folder.Err != nil:
		return "", fmt.Errorf("mend %s: %w", check, x.place.Folder.Err)
	case x.place.Folder != nil && x.place.Folder.Locked != nil:
		return "", fmt.Errorf("mend %s: %w", check, x.place.Folder.Locked)
	case x.place.NATS == nil:
		return "", fmt.Errorf("mend %s: there are no streams yet", check)
	case x.place.NATS.Err != nil:
		return "", fmt.Errorf("mend %s: %w", check, x.place.NATS.Err)
	}
	return doctor.Mend(ctx, x.place, check)
}

// Examine looks for what is wrong with what the runtime stands on. One that asks
// a server has that examine itself, and what is not that server's to know, such
// as how advice is written, means nothing.
func (r *Runtime) Examine(ctx context.Context, e Examination) ([]Finding, error) {
	if r.remote != nil {
		var all []Finding
		err := r.remote.Examine(ctx, &all)
		return all, err
	}
	e.Options = r.options
	x := &examined{Examination: e}
	defer x.end()
	x.describe()
	x.place.Signals = r.Signals
	if r.conn != nil {
		x.place.NATS = &doctor.NATS{Embedded: e.Dir != ""}
		x.reaches(ctx, r.conn)
		if r.Serving {
			x.place.NATS.URL = "in this process"
		}
		x.belongs(r.conn, r.events)
	}
	if e.Dir != "" {
		folder, err := openFolder(e.Dir, false)
		x.place.Folder = &doctor.Folder{Dir: e.Dir, Path: folder.dir, Err: err, Served: true}
	}
	x.place.Blobs = &doctor.Blobs{URL: withoutParameters(x.blobs()), Dir: fileDir(x.blobs()), Store: r.Blobs}
	return doctor.Examine(ctx, x.place), nil
}

// examined is an examination under way, and what has to be closed after it.
type examined struct {
	Examination
	place   doctor.Place
	closers []func()
}

func (x *examined) end() {
	for i := len(x.closers) - 1; i >= 0; i-- {
		x.closers[i]()
	}
}

// begin finds what there is. Nothing that is not there is an error.
func (e Examination) begin(ctx context.Context) *examined {
	x := &examined{Examination: e}
	x.describe()
	if e.Dir != "" {
		x.beginFolder(ctx)
	} else {
		x.connect(ctx, e.Server, e.Token, "")
	}
	x.openBlobs(ctx)
	return x
}

func (x *examined) describe() {
	x.advised()
	x.place = doctor.Place{
		Version: x.Version, Ask: x.Ask, Role: x.role, Secrets: x.secrets(), Certificates: x.Certificates, StreamsOnly: x.StreamsOnly, Machine: x.machine,
	}
}

// secrets are the files with secrets that were named, whatever for.
func (x *examined) secrets() []string {
	all := slices.Clone(x.Secrets)
	for _, file := range []string{x.NATS.NKeyFile, x.NATS.CredsFile} {
		if file != "" {
			all = append(all, file)
		}
	}
	return all
}

func (x *examined) beginFolder(ctx context.Context) {
	place := &doctor.Folder{Dir: x.Dir}
	x.place.Folder = place
	folder, err := openFolder(x.Dir, false)
	if err != nil {
		place.Err = err
		var none *NoFolderError
		if errors.As(err, &none) {
			place.Err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		}
		return
	}
	place.Path = folder.dir
	patience := time.Now().Add(announcesWithin)
	for {
		at, err := folder.server()
		if err == nil {
			place.Served, place.By, place.Locked = true, at.PID, nil
			x.connect(ctx, at.URL, at.Token, at.Events)
			return
		}
		place.Stale = at.PID
		if !x.serve(ctx, folder) || ctx.Err() != nil || time.Now().After(patience) {
			return
		}
		time.Sleep(50 * time.Millisecond) // a server that starts has the folder before it says where it is
	}
}

// announcesWithin is how long a server that has the folder may take to say where
// it is.
const announcesWithin = 2 * time.Second

// serve starts the server of a folder that nobody serves; inUse says that
// somebody has it.
func (x *examined) serve(ctx context.Context, folder folder) (inUse bool) {
	if _, err := os.Stat(folder.streams()); errors.Is(err, fs.ErrNotExist) {
		return false // nobody has ever served it
	}
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: folder.streams(), InProcessOnly: true, Log: x.Log})
	switch {
	case errors.Is(err, natsconn.ErrInUse):
		x.place.Folder.Locked = err
		return true
	case err != nil:
		x.place.NATS = &doctor.NATS{Err: err}
		return false
	}
	x.place.Folder.Locked = nil
	x.closers = append(x.closers, server.Close)
	conn, err := server.Connect(natsconn.ConnOptions{Name: "deed doctor", Log: x.Log})
	x.connected(ctx, conn, err, "")
	x.place.NATS.URL = "the folder's, started for this look"
	return false
}

func (x *examined) connect(ctx context.Context, url, token, eventsURL string) {
	within, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	conn, err := natsconn.Connect(within, url, token, natsconn.ConnOptions{Name: "deed doctor", Log: x.Log, Credentials: x.NATS.credentials()})
	x.connected(ctx, conn, err, eventsURL)
}

// connected goes on where the queues are. Where the events are Options say, or
// whoever serves the folder.
func (x *examined) connected(ctx context.Context, conn *nats.Conn, err error, eventsURL string) {
	x.place.NATS = &doctor.NATS{Err: err, Embedded: x.Dir != ""}
	if err != nil {
		return
	}
	x.closers = append(x.closers, conn.Close)
	x.reaches(ctx, conn)
	x.place.Signals = natsqueue.NewSignals(conn)
	if x.Events != "" {
		eventsURL = x.Events
	}
	at, err := locateEvents(eventsURL)
	if err != nil {
		x.place.Events = &doctor.Events{Open: func(context.Context) error { return err }}
		return
	}
	x.belongs(conn, at)
}

// reaches finds the way to JetStream that these credentials have.
func (x *examined) reaches(ctx context.Context, conn *nats.Conn) {
	at := x.place.NATS
	at.Conn, at.URL = conn, conn.ConnectedUrlRedacted()
	if at.JetStream, at.Off = natsconn.JetStream(ctx, conn); at.Off == nil {
		at.Looks = strings.HasPrefix(at.JetStream.Options().APIPrefix, natsconn.ImportedAPI)
	}
}

// openBlobs opens the blob store, unless it is one of files that is not there:
// to open that would make it.
func (x *examined) openBlobs(ctx context.Context) {
	address := x.blobs()
	if address == "" {
		return
	}
	x.place.Blobs = &doctor.Blobs{URL: withoutParameters(address), Dir: fileDir(address)}
	if dir := x.place.Blobs.Dir; dir != "" {
		_, err := os.Stat(dir)
		if x.Dir != "" && errors.Is(err, fs.ErrNotExist) { // nothing has ever been written
			x.place.Blobs = nil
			return
		}
		if err != nil {
			x.place.Blobs.Err = fmt.Errorf("there is no blob store at %s: %w", withoutParameters(address), err)
			return
		}
	}
	within, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	store, err := blob.Open(within, address)
	if err != nil {
		x.place.Blobs.Err = err
		return
	}
	x.closers = append(x.closers, func() { _ = store.Close() }) // nothing of it is open any more
	x.place.Blobs.Store = store
}

// blobs is the address of the blob store; empty: in memory, or not known.
func (x *examined) blobs() string {
	if x.Dir == "" {
		return x.Blobs
	}
	dir, err := filepath.Abs(x.Dir)
	if err != nil {
		return ""
	}
	return folder{dir: dir}.blobs()
}

// fileDir is the directory of a store of files; empty: it is another kind.
func fileDir(address string) string {
	path, ok := strings.CutPrefix(address, "file://")
	if !ok {
		return ""
	}
	dir, err := url.PathUnescape(path)
	if err != nil {
		return "" // to open it says what is wrong
	}
	return filepath.FromSlash(dir)
}

// withoutParameters is an address for people: what comes after it may be secret.
func withoutParameters(address string) string {
	before, _, _ := strings.Cut(address, "?")
	if before == "" {
		return "memory"
	}
	return before
}
