// Package nats stores events in one JetStream stream: a commit is one message,
// on the subject of its stream of events.
//
// One message is atomic by itself, and the version a caller expects becomes
// the sequence of the last message expected on that subject, so the server
// refuses what comes second. How far an acknowledged commit is safe is the
// server's setting: the embedded one of this project syncs it to disk first; a
// cluster has it on a majority of replicas.
//
// A word of caution on "stream": in this package's comments a stream is one of
// events, and the JetStream stream that holds them all is the log.
package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventdriver"
	"github.com/deedrun/deed/internal/natsconn"
)

// Options say where the events are. The zero value is the usual place.
type Options struct {
	Stream   string // the log's name; empty: DEED_EVENTS
	Subject  string // its subjects are Subject.<stream>; empty: deed.events
	Replicas int    // 0: one, or as many as an existing log has
}

// driver is an events.Driver over one connection. Drivers on other
// connections, in other processes, may share the log.
type driver struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	log    jetstream.Stream
	name   string
	prefix string // of subjects, with the dot
	// replicated: any replica may answer a direct get, and one may lag behind.
	replicated bool
	heads      *eventdriver.Heads
}

// Open creates or checks the log and returns a driver over it. The connection
// stays the caller's: it is closed after the driver.
func Open(ctx context.Context, nc *nats.Conn, o Options) (events.Driver, error) {
	if o.Stream == "" {
		o.Stream = "DEED_EVENTS"
	}
	if o.Subject == "" {
		o.Subject = "deed.events"
	}
	if err := checkSubject(o.Subject); err != nil {
		return nil, fmt.Errorf("open event store: %w", err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("open event store: %w", err)
	}
	log, err := natsconn.EnsureStream(ctx, js, Config(o))
	if err != nil {
		return nil, fmt.Errorf("open event store: %w", err)
	}
	return &driver{
		nc: nc, js: js, log: log, name: o.Stream, prefix: o.Subject + ".",
		replicated: log.CachedInfo().Config.Replicas > 1,
		heads:      eventdriver.NewHeads(),
	}, nil
}

// Config is the configuration of the log: on file, nothing ever removed but by
// Truncate, and each message persisted before it is acknowledged.
func Config(o Options) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        o.Stream,
		Description: "events of deed: the truth; one message a commit",
		Subjects:    []string{o.Subject + ".*"},
		Retention:   jetstream.LimitsPolicy,
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardNew, // a limit an operator sets later refuses new commits, never drops old ones
		PersistMode: jetstream.DefaultPersistMode,
		Replicas:    o.Replicas,
		DenyDelete:  true,
		AllowDirect: true,
		// No commit is told apart by a message ID. A server that starts reads again
		// what came within this window, so it is the least the server takes.
		Duplicates: 100 * time.Millisecond,
	}
}

func checkSubject(subject string) error {
	for token := range strings.SplitSeq(subject, ".") {
		if token == "" || strings.ContainsAny(token, "*> \t\r\n") {
			return fmt.Errorf("subject %q: use words separated by dots, without wildcards or spaces", subject)
		}
	}
	return nil
}

// Close implements [events.Driver]. The connection stays open.
func (d *driver) Close() error { return nil }

// A stream is one token of a subject, so a dot in its name, which would split
// it (and "a..b" is no subject at all), is written as a slash, which no name has.

func (d *driver) subject(stream string) string {
	return d.prefix + strings.ReplaceAll(stream, ".", "/")
}

func (d *driver) stream(subject string) (string, bool) {
	token, ok := strings.CutPrefix(subject, d.prefix)
	stream := strings.ReplaceAll(token, "/", ".")
	return stream, ok && events.CheckStream(stream) == nil
}

// failure explains an error of the backend. When ctx did not end, whatever
// says that the server is out of reach is ErrUnavailable.
func failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w (what was asked for may have happened)", ctx.Err())
	}
	if errors.Is(err, context.Canceled) { // not by the caller
		err = fmt.Errorf("%w before the answer came", nats.ErrDisconnected)
	}
	if unreachable(err) {
		return fmt.Errorf("%w: %w", events.ErrUnavailable, err)
	}
	return err
}

func unreachable(err error) bool {
	for _, known := range []error{
		nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected, nats.ErrConnectionClosed, nats.ErrConnectionReconnecting,
		nats.ErrReconnectBufExceeded, nats.ErrNoServers, nats.ErrStaleConnection, nats.ErrConnectionDraining,
		jetstream.ErrNoStreamResponse, jetstream.ErrNoHeartbeat, context.DeadlineExceeded,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	var api *jetstream.APIError
	return errors.As(err, &api) && api.Code >= 500
}
