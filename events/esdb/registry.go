package esdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// EventStoreDB has no list of streams: its $streams projection may be off and
// lags behind, and a filtered read of $all goes through the whole log. So the
// names of streams are events of one more stream, the registry. A name is
// written before the first append to its stream, hence the registry names every
// stream that exists, and perhaps some whose first append never came.

// registry is what is known of the registry stream.
type registry struct {
	stream string
	turn   chan struct{} // held by the one who reads the stream
	next   uint64        // the revision to read from; of who holds turn

	mu    sync.Mutex
	names map[string]bool // true: the stream was seen to exist
}

func newRegistry(stream string) *registry {
	return &registry{stream: stream, turn: make(chan struct{}, 1), names: map[string]bool{}}
}

// entry is an event of the registry.
type entry struct {
	Stream string `json:"stream"`
}

const entryType = "StreamRegistered"

// entries is the namespace of the IDs of the registry's events.
var entries = uuid.MustParse("0f3d4a51-5c0e-4c49-8a39-3f2f5e2b9a64")

func (r *registry) add(name string, exists bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[name] = r.names[name] || exists
}

func (r *registry) knows(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.names[name]
	return ok
}

// matching lists the names with a prefix; unseen are those of them that were not
// seen to exist yet.
func (r *registry) matching(prefix string) (seen, unseen []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, exists := range r.names {
		switch {
		case !strings.HasPrefix(name, prefix):
		case exists:
			seen = append(seen, name)
		default:
			unseen = append(unseen, name)
		}
	}
	return seen, unseen
}

// refresh reads what was registered since the last time.
func (d *driver) refresh(ctx context.Context) error {
	r := d.registry
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		list, more, err := d.page(ctx, r.stream, r.next)
		if err != nil {
			return err
		}
		for _, e := range list {
			var known entry
			if err := json.Unmarshal(e.Data, &known); err != nil || known.Stream == "" {
				return damaged("event %d of the registry of streams, %q, names no stream: somebody else writes to it", e.EventNumber, d.settings.registry())
			}
			r.add(known.Stream, false)
			r.next = e.EventNumber + 1
		}
		if !more {
			return nil
		}
	}
}

// register makes sure that the registry names a stream, of which nothing is
// there yet. Two who do so at once write the name twice, which is harmless.
func (d *driver) register(ctx context.Context, stream string) error {
	if !d.registry.knows(stream) {
		if err := d.refresh(ctx); err != nil {
			return err
		}
	}
	if d.registry.knows(stream) {
		return d.neverDeleted(ctx, stream)
	}
	data, err := json.Marshal(entry{stream})
	if err != nil {
		return err
	}
	_, err = d.appendEvents(ctx, d.registry.stream, esdb.Any{}, []esdb.EventData{{
		EventID: uuid.NewSHA1(entries, []byte(d.settings.prefix+stream)), EventType: entryType, ContentType: esdb.ContentTypeJson, Data: data,
	}})
	if err == nil {
		d.registry.add(stream, false)
	}
	return err
}

// neverDeleted refuses a stream that was registered, has no events, and was
// deleted in the meantime: the server would go on behind the numbers of what was
// deleted. (Otherwise its first append never came.)
func (d *driver) neverDeleted(ctx context.Context, stream string) error {
	last, err := d.metadata(ctx, stream)
	if err == nil && last.TruncateBefore() != nil && *last.TruncateBefore() > 0 {
		return damaged("the stream was deleted on the server (its $tb is %d), and would go on behind what was deleted: begin under another name", *last.TruncateBefore())
	}
	return err
}

// Streams implements [events.Driver]. It reads the names that were registered
// since the last time, and the last event of each stream that this process has
// not seen yet.
func (d *driver) Streams(ctx context.Context, prefix string) ([]string, error) {
	names, err := d.streams(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("list streams %q: %w", prefix, d.failure(ctx, err))
	}
	return names, nil
}

func (d *driver) streams(ctx context.Context, prefix string) ([]string, error) {
	if err := d.refresh(ctx); err != nil {
		return nil, err
	}
	seen, unseen := d.registry.matching(prefix)
	var mu sync.Mutex
	look, lookCtx := errgroup.WithContext(ctx)
	look.SetLimit(poolSize)
	for _, name := range unseen {
		look.Go(func() error {
			_, ok, err := d.lastEvent(lookCtx, name)
			if err != nil && !streamDeleted(err) {
				return err
			}
			if ok {
				d.registry.add(name, true)
				mu.Lock()
				seen = append(seen, name)
				mu.Unlock()
			}
			return nil
		})
	}
	if err := look.Wait(); err != nil {
		return nil, errors.Join(err, ctx.Err())
	}
	slices.Sort(seen)
	return seen, nil
}
