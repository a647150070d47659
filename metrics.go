package deed

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/internal/folder"
	"github.com/deedrun/deed/internal/metrics"
)

// Metrics is what a program tells Prometheus of its runtimes, one after the other
// or side by side. Its Handler answers scrapes:
//
//	m := deed.NewMetrics("1.0")
//	http.Handle("/metrics", m.Handler())
//	r, err := deed.Open(ctx, deed.Options{Dir: ".deed", Metrics: m})
type Metrics = metrics.Registry

// NewMetrics is the metrics of a program of this version.
func NewMetrics(version string) *Metrics { return metrics.New(version) }

// Ready says why this runtime does not do what it is there for right now; nil: it
// does. A worker takes tasks, or would if it had a free slot.
func (r *Runtime) Ready() error {
	switch {
	case r.conn != nil && !r.conn.IsConnected():
		return errors.New("the connection to NATS is lost; it is coming back by itself if the server does")
	case r.worker != nil:
		return r.worker.Ready()
	}
	return nil
}

// attend lets whoever scrapes see the connection, for as long as it is open.
func (r *Runtime) attend(conn *nats.Conn) {
	r.conn = conn
	r.closers = append(r.closers, r.options.Metrics.NATS().Attach(func() metrics.Connection {
		s := conn.Stats()
		return metrics.Connection{
			Connected: conn.IsConnected(), Reconnects: s.Reconnects,
			MessagesIn: s.InMsgs, MessagesOut: s.OutMsgs, BytesIn: s.InBytes, BytesOut: s.OutBytes,
		}
	}))
}

// attendQueues lets whoever scrapes see how much there is in queues and stores:
// who orchestrates says so, and may ask.
func (r *Runtime) attendQueues() {
	r.closers = append(r.closers, r.options.Metrics.Queues().Attach(r.depths))
}

// depths is how much there is now.
func (r *Runtime) depths(ctx context.Context) (d metrics.Depths, err error) {
	if dir := r.options.Dir; dir != "" {
		if free, size, err := folder.Disk(dir); err == nil {
			d.Free, d.Size = new(uint64(free)), new(uint64(size))
		}
	}
	if r.conn == nil {
		return d, nil
	}
	js, err := jetstream.New(r.conn)
	if err != nil {
		return d, err
	}
	for _, s := range []struct{ name, stream string }{
		{"events", "DEED_EVENTS"}, {"inbox", "deed-inbox"}, {"work", "deed-work"}, {"quarantine", "deed-quarantine"},
	} {
		stream, err := js.Stream(ctx, s.stream)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			continue
		}
		if err != nil {
			return d, err
		}
		info := stream.CachedInfo()
		d.Streams = append(d.Streams, metrics.Stream{
			Name: s.name, Messages: info.State.Msgs, Bytes: info.State.Bytes, Missing: missingReplicas(info),
		})
		if s.name == "quarantine" {
			n := int(info.State.Msgs)
			d.Quarantine = &n
		}
	}
	account, err := js.AccountInfo(ctx)
	if err != nil {
		return d, nil // whoever may not ask about the account knows the rest
	}
	d.Storage = &account.Store
	if limit := account.Limits.MaxStore; limit > 0 {
		most := uint64(limit)
		d.StorageLimit = &most
	}
	return d, nil
}

// missingReplicas is how many servers that should keep a stream do not right now.
func missingReplicas(info *jetstream.StreamInfo) int {
	if info.Cluster == nil || info.Config.Replicas <= 1 {
		return 0
	}
	there := 0
	if info.Cluster.Leader != "" {
		there++
	}
	for _, peer := range info.Cluster.Replicas {
		if peer.Current && !peer.Offline {
			there++
		}
	}
	return max(info.Config.Replicas-there, 0)
}
