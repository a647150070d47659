package deed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/deedrun/deed/internal/eventstore"
	"github.com/deedrun/deed/internal/folder"
	"github.com/deedrun/deed/internal/natsconn"
)

// openWithin is how long a folder may neither be joined nor be free.
const openWithin = 5 * time.Second

// openFolder serves the folder, or joins whoever does. A server that has just
// started may not have said yet where it is, one that reads the folder for a
// moment never does, and one that was there may be leaving, or be a stranger
// with the number of a process that died: so it tries for a while. Who serves
// is decided by the lock alone.
func (r *Runtime) openFolder(ctx context.Context) error {
	data, err := folder.Open(r.options.Dir, !r.options.ReadOnly && !r.options.Join)
	if err != nil {
		return err
	}
	patience := time.NewTimer(openWithin)
	defer patience.Stop()
	last := folder.Address{}
	for {
		a, joinErr := server(data)
		if joinErr == nil {
			if a != last { // servers come and go: that is progress
				last = a
				patience.Reset(openWithin)
			}
			served, stop := data.WhileServed(ctx, a)
			joinErr = r.joinFolder(served, data, a)
			if joinErr != nil && served.Err() != nil && ctx.Err() == nil {
				joinErr = &UnreachableError{fmt.Errorf("open folder %q: its server ended meanwhile", r.options.Dir)}
			}
			stop()
			if joinErr == nil {
				return nil
			}
			r.release()
		}
		var final *finalError
		if r.options.Join || ctx.Err() != nil || errors.As(joinErr, &final) {
			return joinErr
		}
		inUse := r.serve(ctx, data)
		if !errors.Is(inUse, natsconn.ErrInUse) {
			return inUse
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-patience.C:
			if last == (folder.Address{}) {
				return &UnreachableError{fmt.Errorf("another process has the folder and does not serve it, such as `deed gc`, or a server that is only starting: try again later: %w", inUse)}
			}
			return &UnreachableError{fmt.Errorf("open folder %q: another process has it and cannot be joined: %w", r.options.Dir, joinErr)}
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// server is where a folder is served now; an *UnreachableError if nobody does.
func server(data folder.Folder) (folder.Address, error) {
	at, err := data.Server()
	if err != nil {
		return at, &UnreachableError{err}
	}
	return at, nil
}

// comeBack is how long a connection that was cut off needs at most until it
// tries again.
const comeBack = 300 * time.Millisecond

func (r *Runtime) serve(ctx context.Context, data folder.Folder) error {
	last, listen := data.Crashed()
	server, err := natsconn.Start(natsconn.ServerOptions{
		Dir: data.Streams(), Prefer: listen, Token: last.Token, InProcessOnly: r.options.ReadOnly, Log: r.options.Log,
	})
	if err != nil {
		return fmt.Errorf("open folder %q: %w", r.options.Dir, err)
	}
	r.closers = append(r.closers, server.Close)
	r.Serving = true
	conn, err := server.Connect(natsconn.ConnOptions{Name: "deed", Log: r.options.Log})
	if err != nil {
		return fmt.Errorf("open folder %q: %w", r.options.Dir, err)
	}
	if err := r.connect(ctx, conn, data.Blobs(), r.events, r.lease()); err != nil {
		return fmt.Errorf("open folder %q: %w", r.options.Dir, err)
	}
	if r.options.ReadOnly {
		return nil
	}
	data.Sweep()
	r.closers = append(r.closers, data.Withdraw)
	if server.URL() == last.URL {
		select { // the roll is called when those who come back can hear it
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(comeBack):
		}
	}
	return data.Announce(folder.Address{URL: server.URL(), Token: server.Token(), PID: os.Getpid(), Events: r.events.URL()})
}

// joinFolder joins the server of a folder, which knows where the events are.
func (r *Runtime) joinFolder(ctx context.Context, data folder.Folder, a folder.Address) error {
	at, err := eventstore.At(a.Events)
	if err != nil {
		return fmt.Errorf("open folder %q: its server uses an event store that this version does not know: %w", r.options.Dir, err)
	}
	if r.options.Events != "" {
		if !r.events.Same(at) {
			return &finalError{&eventstore.OtherError{Used: at.String(), Given: r.events.String(), Remedy: "whoever serves the folder uses those; leave out --events and DEED_EVENTS to join"}}
		}
		at = r.events // the user may be another
	}
	r.events = at // also if the server ends before it is joined
	return r.join(ctx, a.URL, a.Token, data.Blobs(), at)
}
