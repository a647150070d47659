package metrics

import (
	"context"
	"sync"
	"time"
)

// Queues is what is to be seen of queues and stores from where they are served.
// A nil one sees nothing.
type Queues struct {
	now sources[func(context.Context) (Depths, error)]

	mu   sync.Mutex // one asks, and the others take what it got
	last Depths
	at   time.Time
}

// Depths is how much there is in queues and stores. What is not known is not told.
type Depths struct {
	Quarantine *int // messages
	Streams    []Stream

	Storage      *uint64 // bytes, of all streams of the account
	StorageLimit *uint64

	Free, Size *uint64 // bytes, of the disk of the data folder
}

// Stream is one of JetStream.
type Stream struct {
	Name            string // events, inbox, work, quarantine
	Messages, Bytes uint64
	Missing         int // replicas
}

// The queues are asked over the network: not more often than that, and what was
// heard last counts for a while, should they not answer.
const (
	depthsWithin = 2 * time.Second
	depthsAnew   = time.Second
	depthsKept   = time.Minute
)

func newQueues(r *Registry) *Queues {
	m := &Queues{}
	r.read(m.tell, "deed_quarantine_messages", "deed_stream_messages", "deed_stream_bytes", "deed_stream_replicas_missing",
		"deed_jetstream_storage_bytes", "deed_jetstream_storage_limit_bytes", "deed_data_free_bytes", "deed_data_size_bytes")
	return m
}

// Attach says whom to ask, until it is detached.
func (m *Queues) Attach(now func(context.Context) (Depths, error)) (detach func()) {
	if m == nil {
		return func() {}
	}
	return m.now.attach(now)
}

// depths asks, or says what was heard a moment ago.
func (m *Queues) depths() (Depths, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.at) < depthsAnew {
		return m.last, true
	}
	for _, ask := range m.now.each() {
		ctx, cancel := context.WithTimeout(context.Background(), depthsWithin)
		d, err := ask(ctx)
		cancel()
		if err == nil {
			m.last, m.at = d, time.Now()
			return d, true
		}
	}
	return m.last, time.Since(m.at) < depthsKept
}

func (m *Queues) tell(tell func(name string, value float64, labels ...string)) {
	d, ok := m.depths()
	if !ok {
		return
	}
	if d.Quarantine != nil {
		tell("deed_quarantine_messages", float64(*d.Quarantine))
	}
	for _, s := range d.Streams {
		tell("deed_stream_messages", float64(s.Messages), s.Name)
		tell("deed_stream_bytes", float64(s.Bytes), s.Name)
		tell("deed_stream_replicas_missing", float64(s.Missing), s.Name)
	}
	for name, value := range map[string]*uint64{
		"deed_jetstream_storage_bytes": d.Storage, "deed_jetstream_storage_limit_bytes": d.StorageLimit,
		"deed_data_free_bytes": d.Free, "deed_data_size_bytes": d.Size,
	} {
		if value != nil {
			tell(name, float64(*value))
		}
	}
}
