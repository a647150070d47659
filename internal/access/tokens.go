package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
)

// What is known of the stream holds for freshFor; after that whoever shows a
// token has it looked at again, which is one small read. A store that does not
// answer is asked again every askAgain, and what was known holds until it is
// holdFor old: longer would be granting what may have been taken back.
const (
	freshFor    = 100 * time.Millisecond
	askAgain    = time.Second
	answerIn    = 2 * time.Second
	writeIn     = 10 * time.Second
	holdFor     = 30 * time.Second
	conflictsOK = 20 // of one who writes with all the others
)

// Tokens are those that are kept in an event store. Any number of servers may
// have one over the same store: what one of them revokes the others refuse
// within a tenth of a second, and one that cannot reach the store any more
// grants nothing after 30 seconds.
type Tokens struct {
	store *events.Store
	now   func() time.Time

	mu    sync.Mutex // held while the store is asked
	known ledger
	asOf  time.Time // when it was read
	tried time.Time // when the store had been asked last
	err   error     // what it said to that
}

// NewTokens are the tokens of a store. Nothing is read before somebody asks.
// Clock nil is the machine's.
func NewTokens(store *events.Store, clock func() time.Time) *Tokens {
	if clock == nil {
		clock = time.Now
	}
	return &Tokens{store: store, now: clock, known: emptyLedger()}
}

func emptyLedger() ledger { return ledger{byID: map[string]Token{}} }

var _ Authenticator = (*Tokens)(nil)

// Authenticate says whose a token is. A text that is no token of this form costs
// no look at the store.
func (t *Tokens) Authenticate(ctx context.Context, token string) (Principal, error) {
	id, ok := idOf(token)
	if !ok {
		return Principal{}, ErrUnknown
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.refresh(ctx); err != nil {
		return Principal{}, err
	}
	known := t.known.byID[id]
	if !matches(token, known.hash) || !known.Opens(t.now()) {
		return Principal{}, ErrUnknown
	}
	return known.principal(), nil
}

// refresh makes sure that what is known is new enough to grant something.
func (t *Tokens) refresh(ctx context.Context) error {
	now := t.now()
	if t.err == nil && now.Sub(t.asOf) < freshFor {
		return nil
	}
	if t.err == nil || now.Sub(t.tried) >= askAgain {
		t.err = t.read(ctx)
	}
	away := errors.Is(t.err, events.ErrUnavailable) || errors.Is(t.err, context.DeadlineExceeded)
	if t.err == nil || away && !t.asOf.IsZero() && t.now().Sub(t.asOf) < holdFor {
		return nil
	}
	return fmt.Errorf("read the tokens: %w", t.err)
}

// read brings what is known up to the stream, for whoever asks next as well: so
// it does not end with the one who asked.
func (t *Tokens) read(ctx context.Context) error {
	began := t.now()
	defer func() { t.tried = t.now() }() // a store that hangs is left alone for as long as one that fails at once
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerIn)
	defer cancel()
	version, err := t.store.Version(ctx, Stream)
	if err != nil {
		return err
	}
	if version < t.known.version { // the store was replaced by an older one
		t.known = emptyLedger()
	}
	if version > t.known.version {
		for e, err := range t.store.Read(ctx, Stream, t.known.version) {
			if err == nil {
				err = t.known.evolve(e)
			}
			if err != nil {
				return err
			}
		}
	}
	t.asOf = began
	return nil
}

// upToDate is what is stored now. The caller holds mu.
func (t *Tokens) upToDate(ctx context.Context) error {
	if t.err = t.read(ctx); t.err != nil {
		return fmt.Errorf("read the tokens: %w", t.err)
	}
	return nil
}

// List lists all tokens in the order in which they were issued, those that open
// nothing any more, too.
func (t *Tokens) List(ctx context.Context) ([]Token, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.upToDate(ctx); err != nil {
		return nil, err
	}
	all := make([]Token, len(t.known.order))
	for i, id := range t.known.order {
		all[i] = t.known.byID[id]
	}
	return all, nil
}

// Issue makes a token and keeps all of it but its secret: the text is given
// here, and never again. Bad wishes are an *InvalidError.
func (t *Tokens) Issue(ctx context.Context, wish Issue) (Token, string, error) {
	now := t.now().UTC()
	if err := wish.check(now); err != nil {
		return Token{}, "", err
	}
	var issued Token
	var text string
	err := t.append(ctx, func() (events.Record, bool, error) {
		var id string
		for id, text = draw(); t.known.byID[id].ID != ""; {
			id, text = draw()
		}
		issued = Token{hash: hashOf(text), TokenInfo: wire.TokenInfo{
			ID: id, Name: wish.Name, Role: wish.Role, Processes: slices.Clone(wish.Processes), Expires: wish.Expires.UTC(), By: wish.By, At: now,
		}}
		r, err := issued.record()
		return r, true, err
	})
	return issued, text, err
}

// Revoke makes a token open nothing any more; known is false if there is no such
// token. One that was revoked before stays as it is.
func (t *Tokens) Revoke(ctx context.Context, id, by string) (token Token, known bool, err error) {
	err = t.append(ctx, func() (events.Record, bool, error) {
		if token, known = t.known.byID[id]; !known || !token.RevokedAt.IsZero() {
			return events.Record{}, false, nil
		}
		token.RevokedAt, token.RevokedBy = t.now().UTC(), by
		r, err := record(tokenRevoked, revoked{ID: id, By: by, At: token.RevokedAt})
		return r, true, err
	})
	return token, known, err
}

// append adds the event that follows from what is stored, if one does. Who
// writes at the same time comes before or after, and is seen.
func (t *Tokens) append(ctx context.Context, decide func() (r events.Record, ok bool, err error)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, writeIn) // nobody is let in meanwhile
	defer cancel()
	commit := ulid.Make().String()
	for conflicts := 0; ; conflicts++ {
		if err := t.upToDate(ctx); err != nil {
			return err
		}
		r, ok, err := decide()
		if err != nil || !ok {
			return err
		}
		_, err = t.store.Append(ctx, Stream, events.Exactly(t.known.version), commit, r)
		var conflict *events.ConflictError
		if errors.As(err, &conflict) && conflicts < conflictsOK {
			continue
		}
		if err != nil {
			return fmt.Errorf("write to the tokens: %w", err)
		}
		t.asOf = time.Time{} // what was known is no more
		return nil
	}
}
