package access_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/internal/access"
)

// cable is a driver that can be cut off from its store, or hear nothing any more
// of what it asks there, and counts that.
type cable struct {
	events.Driver
	cut   atomic.Bool
	hangs atomic.Bool
	asks  atomic.Int64
}

func (c *cable) state(ctx context.Context) error {
	c.asks.Add(1)
	if c.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if c.cut.Load() {
		return fmt.Errorf("cut off: %w", events.ErrUnavailable)
	}
	return nil
}

func (c *cable) Last(ctx context.Context, stream string) (events.Commit, bool, error) {
	if err := c.state(ctx); err != nil {
		return events.Commit{}, false, err
	}
	return c.Driver.Last(ctx, stream)
}

func (c *cable) Read(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	if err := c.state(ctx); err != nil {
		return func(yield func(events.Commit, error) bool) { yield(events.Commit{}, err) }
	}
	return c.Driver.Read(ctx, stream, after)
}

// rig is a store, and a server's tokens over it, whose clock stands still unless
// it is moved.
type rig struct {
	*testing.T
	driver events.Driver
	cable  *cable
	tokens *access.Tokens
	now    time.Time
}

func setup(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, driver: mem.New(), now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
	r.cable = &cable{Driver: r.driver}
	r.tokens = access.NewTokens(events.New(r.cable), func() time.Time { return r.now })
	return r
}

// replica is another server of the same store.
func (r *rig) replica() *access.Tokens {
	return access.NewTokens(events.New(r.driver), func() time.Time { return r.now })
}

func (r *rig) issue(wish access.Issue) (id, text string) {
	r.Helper()
	if wish.Role == "" {
		wish.Role = wire.Operator
	}
	token, text, err := r.tokens.Issue(r.Context(), wish)
	require.NoError(r, err)
	return token.ID, text
}

func (r *rig) granted(text string) access.Principal {
	r.Helper()
	who, err := r.tokens.Authenticate(r.Context(), text)
	require.NoError(r, err)
	return who
}

func (r *rig) refused(text string) {
	r.Helper()
	who, err := r.tokens.Authenticate(r.Context(), text)
	require.ErrorIs(r, err, access.ErrUnknown)
	require.Zero(r, who)
}

// write puts an event into the stream as another version might.
func (r *rig) write(kind string, schema int, data any) {
	r.Helper()
	encoded, err := json.Marshal(data)
	require.NoError(r, err)
	store := events.New(r.driver)
	version, err := store.Version(r.Context(), access.Stream)
	require.NoError(r, err)
	_, err = store.Append(r.Context(), access.Stream, events.Exactly(version), fmt.Sprint("c", version), events.Record{Type: kind, Schema: schema, Data: encoded})
	require.NoError(r, err)
}
