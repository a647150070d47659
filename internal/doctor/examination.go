package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventstore"
	"github.com/deedrun/deed/internal/folder"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
	natsqueue "github.com/deedrun/deed/queue/nats"
)

// Examination says what is examined, and how advice about it is written.
type Examination struct {
	// Dir is the folder; or Server the NATS server with its Token and NATS, with the
	// blob store at Blobs. Events is the event store, if it is not where these say.
	// They mean what they mean to a runtime.
	Dir                  string
	Server, Token, Blobs string
	NATS                 natsconn.Credentials
	Events               string

	Version string
	Log     *slog.Logger

	// Program is how people call it; "": deed. Ask writes the command line of who
	// asks there; nil: as what is examined says.
	Program string
	Ask     func(words ...string) string

	// Secrets are files that hold tokens or keys, Certificates those that a server
	// shows.
	Secrets, Certificates []string

	// StreamsOnly is for who has just mended one.
	StreamsOnly bool

	Machine Machine // for tests

	role func(words ...string) string // the command line of who works there
}

// reachWithin is how long a server has to answer whoever examines it.
const reachWithin = 5 * time.Second

// Examine looks for what is wrong. It opens nothing the way a runtime does, so
// that it also examines what a runtime refuses, and changes nothing but for a
// probe in the blob store. A folder that nobody serves is kept from others for
// the moment that it takes.
func Examine(ctx context.Context, e Examination) []Finding {
	x := e.begin(ctx)
	defer x.end()
	return examine(ctx, x.place)
}

// Mend gives the stream of a check the settings that it needs, and says what it
// did. What the server changes for no one is made anew, which only happens if
// nobody serves, and nothing is lost that could not be derived again.
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
	return mend(ctx, x.place, check)
}

// Runtime is one that is open, and what it has of what is examined.
type Runtime struct {
	Serving bool
	Conn    *nats.Conn // nil: there is none
	Events  eventstore.Place
	Signals queue.Signals
	Blobs   *blob.Store
}

// ExamineOpen looks for what is wrong with what a runtime stands on.
func ExamineOpen(ctx context.Context, e Examination, r Runtime) []Finding {
	x := &examined{Examination: e}
	defer x.end()
	x.describe()
	x.place.Signals = r.Signals
	if r.Conn != nil {
		x.place.NATS = &natsServer{Embedded: e.Dir != ""}
		x.reaches(ctx, r.Conn)
		if r.Serving {
			x.place.NATS.URL = "in this process"
		}
		x.belongs(r.Conn, r.Events)
	}
	if e.Dir != "" {
		data, err := folder.Open(e.Dir, false)
		x.place.Folder = &dataFolder{Dir: e.Dir, Path: data.Dir(), Err: err, Served: true}
	}
	x.place.Blobs = &blobStore{URL: withoutParameters(x.blobs()), Dir: fileDir(x.blobs()), Store: r.Blobs}
	return examine(ctx, x.place)
}

// examined is an examination under way, and what has to be closed after it.
type examined struct {
	Examination
	place   place
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
	x.place = place{
		Version: x.Version, Ask: x.Ask, Role: x.role, Secrets: x.secrets(), Certificates: x.Certificates, StreamsOnly: x.StreamsOnly, Machine: x.Machine,
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
	place := &dataFolder{Dir: x.Dir}
	x.place.Folder = place
	data, err := folder.Open(x.Dir, false)
	if err != nil {
		place.Err = err
		return
	}
	place.Path = data.Dir()
	patience := time.Now().Add(announcesWithin)
	for {
		at, err := data.Server()
		if err == nil {
			place.Served, place.By, place.Locked = true, at.PID, nil
			x.connect(ctx, at.URL, at.Token, at.Events)
			return
		}
		place.Stale = at.PID
		if !x.serve(ctx, data) || ctx.Err() != nil || time.Now().After(patience) {
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
func (x *examined) serve(ctx context.Context, data folder.Folder) (inUse bool) {
	if _, err := os.Stat(data.Streams()); errors.Is(err, fs.ErrNotExist) {
		return false // nobody has ever served it
	}
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: data.Streams(), InProcessOnly: true, Log: x.Log})
	switch {
	case errors.Is(err, natsconn.ErrInUse):
		x.place.Folder.Locked = err
		return true
	case err != nil:
		x.place.NATS = &natsServer{Err: err}
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
	conn, err := natsconn.Connect(within, url, token, natsconn.ConnOptions{Name: "deed doctor", Log: x.Log, Credentials: x.NATS})
	x.connected(ctx, conn, err, eventsURL)
}

// connected goes on where the queues are. Where the events are Options say, or
// whoever serves the folder.
func (x *examined) connected(ctx context.Context, conn *nats.Conn, err error, eventsURL string) {
	x.place.NATS = &natsServer{Err: err, Embedded: x.Dir != ""}
	if err != nil {
		return
	}
	x.closers = append(x.closers, conn.Close)
	x.reaches(ctx, conn)
	x.place.Signals = natsqueue.NewSignals(conn)
	if x.Events != "" {
		eventsURL = x.Events
	}
	at, err := eventstore.At(eventsURL)
	if err != nil {
		x.place.Events = &eventStore{Open: func(context.Context) (*events.Store, error) { return nil, err }}
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

// belongs describes the event store that is said to belong to the queues of a
// connection.
func (x *examined) belongs(conn *nats.Conn, at eventstore.Place) {
	l := &lookedAt{at: at, queues: eventstore.Queues{Conn: conn, Dir: x.Dir}, log: x.Log}
	x.place.Events = &eventStore{Name: at.String(), Elsewhere: at.Elsewhere(), Open: l.open}
	x.closers = append(x.closers, l.close)
}

// openBlobs opens the blob store, unless it is one of files that is not there:
// to open that would make it.
func (x *examined) openBlobs(ctx context.Context) {
	address := x.blobs()
	if address == "" {
		return
	}
	x.place.Blobs = &blobStore{URL: withoutParameters(address), Dir: fileDir(address)}
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
	data, err := folder.Named(x.Dir)
	if err != nil {
		return ""
	}
	return data.Blobs()
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
