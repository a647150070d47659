// Package raw is the loop that any orchestrator on JetStream has to make, and
// nothing else: what deed is measured against. It shares no code with deed.
//
//	publisher ──► tasks ──► 4 workers ──► results ──► collector ──► events
//	  a message    │  pull, gather,  a message    │    one fenced event
//	  a task       └─ publish, ack   a gathering  └─   a gathering, ack
//
// The rules are those that no system with the same promises can break: a task is
// acknowledged when its result is stored, a result when its event is; an event
// follows the one that its writer saw last (Nats-Expected-Last-Subject-Sequence),
// and is on disk before it counts. Within them it does what it can to be fast:
//
//   - The streams of tasks and results are persisted asynchronously; only the one
//     of events is synced, by a server with SyncAlways.
//   - Nobody waits for a single acknowledgement of a task's publish: a window of
//     them is under way. Answers are counted, not decoded.
//   - A worker asks for the next tasks when half of what it asked for has come.
//   - Who gathers takes what is there, and does not wait for more; so batches grow
//     with the load, and one message passes at once.
//   - No message has an ID, so the server looks for no duplicates.
//   - Task, result and event are bytes of known places; nothing is parsed.
//
// A task's message has [taskSize] bytes. What the loop did is checked at its end: each
// task counts once.
package raw

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// taskSize is how long the message of a task is.
const taskSize = 256

// Names of streams, and of their only subjects.
const (
	tasks   = "tasks"
	results = "results"
	events  = "events"
)

// readyWithin bounds the start of the server.
const readyWithin = 30 * time.Second

// Options of a Rig.
type Options struct {
	Dir string // where the streams lie
	TCP bool   // connect through the loopback interface; else without any network
}

// Rig is a server with the streams of the loop, and the connections to it.
type Rig struct {
	server *server.Server
	conns  []*nats.Conn
	o      Options
}

// Start starts the server and makes the streams. The caller closes the rig.
func Start(ctx context.Context, o Options) (*Rig, error) {
	r := &Rig{o: o}
	if err := r.start(ctx); err != nil {
		r.Close()
		return nil, fmt.Errorf("raw loop: %w", err)
	}
	return r, nil
}

// startServer starts the server alone, and waits until it takes connections.
func startServer(dir string) (*server.Server, error) {
	srv, err := server.NewServer(&server.Options{
		ServerName: "raw", Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		MaxPayload: 8 << 20, MaxPending: 64 << 20,
		JetStream: true, StoreDir: dir, SyncAlways: true, JetStreamMaxStore: 1 << 60, DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, err
	}
	srv.Start()
	if !srv.ReadyForConnections(readyWithin) {
		srv.Shutdown()
		return nil, fmt.Errorf("the server in %q is not ready after %s", dir, readyWithin)
	}
	return srv, nil
}

func (r *Rig) start(ctx context.Context) (err error) {
	if r.server, err = startServer(r.o.Dir); err != nil {
		return err
	}
	nc, err := r.connect()
	if err != nil {
		return err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	for _, name := range []string{tasks, results} {
		stream, err := js.CreateStream(ctx, jetstream.StreamConfig{
			Name: name, Subjects: []string{name}, Retention: jetstream.WorkQueuePolicy,
			Storage: jetstream.FileStorage, PersistMode: jetstream.AsyncPersistMode,
		})
		if err != nil {
			return err
		}
		_, err = stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
			Durable: name, AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Minute, MaxAckPending: 1 << 16,
		})
		if err != nil {
			return err
		}
	}
	_, err = js.CreateStream(ctx, jetstream.StreamConfig{
		Name: events, Subjects: []string{events}, Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage,
		Discard: jetstream.DiscardNew, DenyDelete: true, AllowDirect: true, Duplicates: 100 * time.Millisecond,
	})
	return err
}

// connect makes one more connection. Who publishes and who collects have one
// each, so that neither waits for what is sent to the other.
func (r *Rig) connect() (*nats.Conn, error) {
	how := nats.InProcessServer(r.server)
	address := ""
	if r.o.TCP {
		how = func(*nats.Options) error { return nil }
		port, ok := r.server.Addr().(*net.TCPAddr)
		if !ok {
			return nil, errors.New("the server does not listen")
		}
		address = "nats://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port.Port))
	}
	nc, err := nats.Connect(address, how, nats.NoReconnect())
	if err != nil {
		return nil, err
	}
	r.conns = append(r.conns, nc)
	return nc, nil
}

// Close ends the connections and the server.
func (r *Rig) Close() {
	for _, nc := range r.conns {
		nc.Close()
	}
	if r.server != nil {
		r.server.Shutdown()
		r.server.WaitForShutdown()
	}
}
