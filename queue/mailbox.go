package queue

import "sync"

// Mailbox is the bounded channel behind a backend's [Listener]: when it is
// full the oldest signal makes room, so whoever puts never waits and a slow
// listener sees what is recent.
type Mailbox struct {
	mu     sync.Mutex
	c      chan []byte
	closed bool
}

// NewMailbox is an empty mailbox that holds up to size signals, at least one.
func NewMailbox(size int) *Mailbox {
	return &Mailbox{c: make(chan []byte, max(size, 1))}
}

// C delivers the signals.
func (m *Mailbox) C() <-chan []byte { return m.c }

// Put adds a signal. After Close it does nothing.
func (m *Mailbox) Put(body []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	for {
		select {
		case m.c <- body:
			return
		default:
		}
		// Full, or the listener emptied it just now: either way the next turn
		// finds room, since all who put hold the lock.
		select {
		case <-m.c:
		default:
		}
	}
}

// Close closes the channel once what it holds is read. Closing again does nothing.
func (m *Mailbox) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		close(m.c)
	}
}
