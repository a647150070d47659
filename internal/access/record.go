package access

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
)

// Stream holds all tokens, as events: who issued and revoked what, and when.
const Stream = "access"

// Names and numbers of the events. They are storage.
const (
	tokenIssued  = "token-issued"
	tokenRevoked = "token-revoked"
	schema       = 1
)

// issued is the data of token-issued.
type issued struct {
	ID        string    `json:"id"`
	Hash      string    `json:"hash"`
	Name      string    `json:"name"`
	Role      wire.Role `json:"role"`
	Processes []string  `json:"processes,omitempty"`
	Expires   time.Time `json:"expires,omitzero"`
	By        string    `json:"by,omitempty"`
	At        time.Time `json:"at"`
}

// revoked is the data of token-revoked.
type revoked struct {
	ID string    `json:"id"`
	By string    `json:"by,omitempty"`
	At time.Time `json:"at"`
}

func record(kind string, data any) (events.Record, error) {
	encoded, err := json.Marshal(data)
	return events.Record{Type: kind, Schema: schema, Data: encoded}, err
}

func (t Token) record() (events.Record, error) {
	return record(tokenIssued, issued{
		ID: t.ID, Hash: hex.EncodeToString(t.hash[:]), Name: t.Name, Role: t.Role, Processes: t.Processes, Expires: t.Expires, By: t.By, At: t.At,
	})
}

// ledger is the fold of the stream.
type ledger struct {
	byID    map[string]Token
	order   []string
	version uint64
}

// evolve takes in an event. One that is not understood ends everything: it may
// be one that takes a right away.
func (l *ledger) evolve(e events.Event) error {
	if err := l.take(e); err != nil {
		return fmt.Errorf("stream %s: event %d, %s: %w", Stream, e.Version, e.Type, err)
	}
	l.version = e.Version
	return nil
}

func (l *ledger) take(e events.Event) error {
	if e.Schema != schema || e.Type != tokenIssued && e.Type != tokenRevoked {
		return fmt.Errorf("schema %d is not known to this version of deed: upgrade it", e.Schema)
	}
	if e.Type == tokenRevoked {
		var r revoked
		if err := json.Unmarshal(e.Data, &r); err != nil {
			return err
		}
		t, ok := l.byID[r.ID]
		if !ok {
			return fmt.Errorf("it revokes %q, which was never issued", r.ID)
		}
		if t.RevokedAt.IsZero() {
			t.RevokedAt, t.RevokedBy = r.At, r.By
			l.byID[r.ID] = t
		}
		return nil
	}
	var i issued
	if err := json.Unmarshal(e.Data, &i); err != nil {
		return err
	}
	t := Token{TokenInfo: wire.TokenInfo{ID: i.ID, Name: i.Name, Role: i.Role, Processes: i.Processes, Expires: i.Expires, By: i.By, At: i.At}}
	var err error
	if t.hash, err = parseHash(i.Hash); err != nil {
		return err
	}
	if _, there := l.byID[t.ID]; there || t.ID == "" || !t.Role.Known() {
		return fmt.Errorf("token %q of role %q is damaged, or was issued before", t.ID, t.Role)
	}
	l.byID[t.ID], l.order = t, append(l.order, t.ID)
	return nil
}
