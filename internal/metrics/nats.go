package metrics

import "sync"

// NATS is what is to be seen of connections to it. A nil one sees nothing.
type NATS struct {
	now sources[func() Connection]

	mu   sync.Mutex
	past Connection // those that were closed, together: counters never go back
}

// Connection is what a connection has to say of itself.
type Connection struct {
	Connected                                  bool
	Reconnects                                 uint64
	MessagesIn, MessagesOut, BytesIn, BytesOut uint64
}

func newNATS(r *Registry) *NATS {
	m := &NATS{}
	r.read(m.tell, "deed_nats_connected", "deed_nats_reconnects_total", "deed_nats_messages_total", "deed_nats_bytes_total")
	return m
}

// Attach says where to look until a connection is closed, which is to be said
// before it is.
func (m *NATS) Attach(now func() Connection) (closes func()) {
	if m == nil {
		return func() {}
	}
	detach := m.now.attach(now)
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		detach()
		m.past.add(now())
	})
}

func (c *Connection) add(more Connection) {
	c.Reconnects += more.Reconnects
	c.MessagesIn, c.MessagesOut = c.MessagesIn+more.MessagesIn, c.MessagesOut+more.MessagesOut
	c.BytesIn, c.BytesOut = c.BytesIn+more.BytesIn, c.BytesOut+more.BytesOut
}

func (m *NATS) tell(tell func(name string, value float64, labels ...string)) {
	m.mu.Lock()
	all, connected := m.past, 0.0
	for _, look := range m.now.each() {
		c := look()
		all.add(c)
		if c.Connected {
			connected = 1
		}
	}
	m.mu.Unlock()
	tell("deed_nats_connected", connected)
	tell("deed_nats_reconnects_total", float64(all.Reconnects))
	tell("deed_nats_messages_total", float64(all.MessagesIn), "in")
	tell("deed_nats_messages_total", float64(all.MessagesOut), "out")
	tell("deed_nats_bytes_total", float64(all.BytesIn), "in")
	tell("deed_nats_bytes_total", float64(all.BytesOut), "out")
}
