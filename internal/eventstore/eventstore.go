// Package eventstore says which event store a URL means, and sees to it that queues
// are used with the one that they belong to: with another they would speak of
// processes that are not there. The server of the queues keeps a note of it.
package eventstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	natsevents "github.com/deedrun/deed/events/nats"
)

// Place says where events are: in the JetStream of the server that has the
// queues, which is the zero value, or elsewhere.
type Place struct {
	url  string // with user and password
	name string // without: for people, and for comparing
}

const jetStream = "jetstream"

// At reads the URL of an event store; empty, or "jetstream": that of the queues. One
// that means nothing is a *URLError.
func At(url string) (Place, error) {
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "", jetStream:
		return Place{}, nil
	case "esdb", "esdb+discover":
		name, err := esdb.Name(url)
		if err != nil {
			return Place{}, &URLError{err}
		}
		return Place{url: url, name: name}, nil
	}
	if !strings.Contains(url, "://") {
		scheme = "" // it may be anything, also a password
	}
	return Place{}, &URLError{fmt.Errorf("open event store: unknown scheme %q of its URL: known are jetstream, esdb://host:2113 and esdb+discover://name:2113", scheme)}
}

func (p Place) String() string {
	if p.Elsewhere() {
		return p.name
	}
	return jetStream
}

// Elsewhere reports whether the events are not in the server of the queues, so
// that one may be away while the other is there.
func (p Place) Elsewhere() bool { return p.url != "" }

// URL is where the events are, with user and password, as [At] reads it.
func (p Place) URL() string { return p.url }

// Same reports whether two places are one, whoever its user is.
func (p Place) Same(other Place) bool { return p.name == other.name }

// Queues are those that an event store belongs to.
type Queues struct {
	Conn     *nats.Conn
	Dir      string // of their server, if it is one of a folder
	Replicas int    // on how many servers of a cluster a stream is kept that is made; 0: 1
}

// Open opens the event store that belongs to queues, and notes that it does. It
// returns an *OtherError if they belong to another, and an *AwayError if one that
// is elsewhere does not answer.
func (p Place) Open(ctx context.Context, q Queues, log *slog.Logger) (events.Driver, error) {
	note := note{q}
	noted, err := note.check(ctx, p)
	if err != nil {
		return nil, err
	}
	if !p.Elsewhere() {
		return natsevents.Open(ctx, q.Conn, natsevents.Options{Replicas: q.Replicas})
	}
	driver, err := p.connect(ctx, log)
	if err != nil {
		return nil, err
	}
	if !noted { // only now: nothing belongs to an address where nobody answers
		if err := note.write(ctx, p); err != nil {
			return nil, errors.Join(err, driver.Close())
		}
	}
	return driver, nil
}

// Look is Open of what is there: nothing is made, and nothing noted. It returns nil,
// without an error, if there is none yet.
func (p Place) Look(ctx context.Context, q Queues, log *slog.Logger) (events.Driver, error) {
	note := note{q}
	if _, err := note.check(ctx, p); err != nil {
		return nil, err
	}
	if p.Elsewhere() {
		return p.connect(ctx, log)
	}
	if stream, err := note.read(ctx); err != nil || stream == nil {
		return nil, err
	}
	return natsevents.Open(ctx, q.Conn, natsevents.Options{})
}

// answersWithin is how long an event store has to answer at first.
const answersWithin = 5 * time.Second

func (p Place) connect(ctx context.Context, log *slog.Logger) (events.Driver, error) {
	within, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	driver, err := esdb.Open(within, p.url, esdb.Options{Log: log})
	switch {
	case err == nil:
		return driver, nil
	case ctx.Err() != nil:
		return nil, err
	case within.Err() != nil:
		err = fmt.Errorf("open event store: %w: EventStoreDB at %s does not answer within %s: check that it runs and that the address is right",
			events.ErrUnavailable, p.name, answersWithin)
	}
	return nil, &AwayError{err}
}

// AwayError says that an event store cannot be reached.
type AwayError struct{ err error }

func (e *AwayError) Error() string { return e.err.Error() }
func (e *AwayError) Unwrap() error { return e.err }

// URLError is a URL that says nothing that could be opened.
type URLError struct{ Err error }

func (e *URLError) Error() string { return e.Err.Error() }
func (e *URLError) Unwrap() error { return e.Err }

// OtherError says that queues belong to another event store than the one that was
// named. Neither name has a user or password.
type OtherError struct{ Used, Given, Remedy string }

func (e *OtherError) Error() string {
	return fmt.Sprintf("open event store: the events are in %s, not in %s: %s", e.Used, e.Given, e.Remedy)
}
