package deed

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	natsevents "github.com/deedrun/deed/events/nats"
)

// eventStore says where events are: in the JetStream of the server that has the
// queues, which is the zero value, or elsewhere.
type eventStore struct {
	url  string // with user and password
	name string // without: for people, and for comparing
}

const jetStream = "jetstream"

// locateEvents reads Options.Events.
func locateEvents(url string) (eventStore, error) {
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "", jetStream:
		return eventStore{}, nil
	case "esdb", "esdb+discover":
		name, err := esdb.Name(url)
		if err != nil {
			return eventStore{}, &EventsURLError{err}
		}
		return eventStore{url: url, name: name}, nil
	}
	if !strings.Contains(url, "://") {
		scheme = "" // it may be anything, also a password
	}
	return eventStore{}, &EventsURLError{fmt.Errorf("open event store: unknown scheme %q of its URL: known are jetstream, esdb://host:2113 and esdb+discover://name:2113", scheme)}
}

func (s eventStore) String() string {
	if s.elsewhere() {
		return s.name
	}
	return jetStream
}

// elsewhere reports whether the events are not in the server of the queues, so
// that one may be away while the other is there.
func (s eventStore) elsewhere() bool { return s.url != "" }

// EventsURL is where the events are, with user and password, as Options.Events
// has it: what whoever goes on when a joined server has ended needs to know.
// Empty: in the server of the queues.
func (r *Runtime) EventsURL() string { return r.events.url }

// openStoreWithin is how long an event store has to answer at first.
const openStoreWithin = 5 * time.Second

// openEvents opens the event store that belongs to the queues of a connection.
// Its error is a *finalError, unless it is the connection's.
func (r *Runtime) openEvents(ctx context.Context, conn *nats.Conn, at eventStore, replicas int) (events.Driver, error) {
	note := eventsNote{conn: conn, dir: r.options.Dir, replicas: replicas}
	noted, err := note.check(ctx, at)
	if err != nil {
		return nil, err
	}
	if !at.elsewhere() {
		return natsevents.Open(ctx, conn, natsevents.Options{Replicas: replicas})
	}
	driver, err := at.open(ctx, r)
	if err != nil {
		return nil, err
	}
	if !noted { // only now: nothing belongs to an address where nobody answers
		if err := note.write(ctx, at); err != nil {
			return nil, errors.Join(err, driver.Close())
		}
	}
	return driver, nil
}

func (s eventStore) open(ctx context.Context, r *Runtime) (events.Driver, error) {
	within, cancel := context.WithTimeout(ctx, openStoreWithin)
	defer cancel()
	driver, err := esdb.Open(within, s.url, esdb.Options{Log: r.options.Log})
	switch {
	case err == nil:
		return driver, nil
	case ctx.Err() != nil:
		return nil, err
	case within.Err() != nil:
		err = fmt.Errorf("open event store: %w: EventStoreDB at %s does not answer within %s: check that it runs and that the address is right",
			events.ErrUnavailable, s.name, openStoreWithin)
	}
	return nil, &finalError{&UnreachableError{err}}
}

// finalError is one that the next server of the folder would give as well.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// EventsURLError is an Options.Events that says nothing that could be opened.
type EventsURLError struct{ err error }

func (e *EventsURLError) Error() string { return e.err.Error() }
func (e *EventsURLError) Unwrap() error { return e.err }

// OtherEventsError says that Options.Events names another event store than the
// one that the queues belong to. Neither name has a user or password.
type OtherEventsError struct{ Used, Given, remedy string }

func (e *OtherEventsError) Error() string {
	return fmt.Sprintf("open event store: the events are in %s, not in %s: %s", e.Used, e.Given, e.remedy)
}
