// Package esdb stores events in EventStoreDB: a stream of events is a stream of
// the server, an event is an event of the server, and a commit is one append.
//
// Version v of a stream is revision v-1. An append always names the revision it
// expects, so the server refuses what comes second, and the IDs of its events
// derive from the commit's, so the server recognises what comes twice. What a
// commit is (its ID, its first version, the place of each event in it) stands in
// the metadata of its events; a reader puts commits together from that and calls
// half of one damage.
//
// Appends and reads of streams go to the leader of a cluster. The node
// preference of the URL says who feeds subscriptions. Servers from version 23.10
// on are supported: earlier ones do not say when a subscription has been fed all
// that was stored. docs/eventstoredb.md says what was tried, and what not.
package esdb

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventdriver"
)

// Options are what the URL does not say. The zero value is the usual.
type Options struct {
	Log *slog.Logger // nil: nothing is logged
}

// driver is an events.Driver. Drivers in other processes may share the server.
type driver struct {
	settings settings
	log      *slog.Logger
	pool     *pool
	heads    *eventdriver.Heads
	registry *registry

	ctx  context.Context // ends with Close
	stop context.CancelFunc

	mu      sync.Mutex // orders feeds and Close
	feeding sync.WaitGroup
}

// Open connects to the server of a URL, esdb:// or esdb+discover://, and reads a
// little, so that what is wrong with the address, the server or the user is an
// error now. docs/eventstoredb.md lists the settings a URL may have.
func Open(ctx context.Context, url string, o Options) (events.Driver, error) {
	settings, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("open event store: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	settings.logTo(o.Log)
	d := &driver{
		settings: settings, log: o.Log,
		pool:     newPool(settings.leader, poolSize),
		heads:    eventdriver.NewHeads(),
		registry: newRegistry(settings.registry()),
	}
	d.ctx, d.stop = context.WithCancel(context.Background())
	if _, _, err := d.lastEvent(ctx, d.registry.stream); err != nil {
		_ = d.Close() // it says nothing
		return nil, fmt.Errorf("open event store: %w", d.failure(ctx, err))
	}
	return d, nil
}

// Close implements [events.Driver]: it ends the subscriptions and the
// connections.
func (d *driver) Close() error {
	d.mu.Lock()
	d.stop()
	d.mu.Unlock()
	d.pool.close()
	d.feeding.Wait()
	return nil
}

// feeds counts one more goroutine that Close waits for, unless the driver is
// closed already.
func (d *driver) feeds() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx.Err() != nil {
		return false
	}
	d.feeding.Add(1)
	return true
}

// call runs f with a connection to the leader that nobody else uses meanwhile.
func (d *driver) call(ctx context.Context, f func(context.Context, *esdb.Client) error) error {
	c, err := d.pool.get(ctx)
	if err != nil {
		return err
	}
	err = c.do(atLeader(ctx), f)
	d.pool.put(c, !answered(ctx, err))
	return err
}

// ask is a call that changes nothing, within a time that the server should
// need. It is tried again once, since the first try may meet a connection whose
// server has been restarted.
func (d *driver) ask(ctx context.Context, f func(context.Context, *esdb.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, d.settings.within)
	defer cancel()
	err := d.call(ctx, f)
	if ctx.Err() == nil && lost(err) {
		err = d.call(ctx, f)
	}
	return err
}
