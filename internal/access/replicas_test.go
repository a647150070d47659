package access_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/internal/access"
)

// What is promised: the longest time from the answer to a revocation until no
// server lets the token in.
const (
	soon  = 100 * time.Millisecond // where the store can be reached
	bound = 30 * time.Second       // where it cannot
)

func TestAfterARevocationNoServerGrantsTheTokenLaterThanPromised(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			driver := mem.New()
			var cables []*cable
			var replicas []*access.Tokens
			for range 3 {
				c := &cable{Driver: driver}
				cables, replicas = append(cables, c), append(replicas, access.NewTokens(events.New(c), nil))
			}
			office := access.NewTokens(events.New(driver), nil)
			id, text, err := office.Issue(t.Context(), access.Issue{Name: "ci", Role: wire.Viewer})
			require.NoError(t, err)
			cut := random.IntN(len(cables)) // this one loses the store some time before

			var all sync.WaitGroup
			granted := make([]time.Time, len(replicas)) // when one of the last granted requests came in
			over := make(chan struct{})
			for i, replica := range replicas {
				step := time.Duration(1+random.IntN(50)) * time.Millisecond
				all.Go(func() {
					for {
						select {
						case <-over:
							return
						case <-time.After(step):
						}
						came := time.Now()
						if _, err := replica.Authenticate(t.Context(), text); err == nil {
							granted[i] = came
						}
					}
				})
			}
			time.Sleep(time.Duration(1+random.IntN(2000)) * time.Millisecond)
			cables[cut].cut.Store(true)
			time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond)
			_, _, err = office.Revoke(t.Context(), id.ID, "ada")
			require.NoError(t, err)
			acknowledged := time.Now()
			time.Sleep(2 * bound)
			close(over)
			all.Wait()
			for i, last := range granted {
				require.False(t, last.IsZero())
				late := soon
				if i == cut {
					late = bound
				}
				require.Less(t, last.Sub(acknowledged), late, "server %d, seed %d", i, seed)
			}
			_, err = replicas[cut].Authenticate(t.Context(), text)
			require.ErrorIs(t, err, events.ErrUnavailable, "it says that it cannot tell, not that the token is wrong")
			cables[cut].cut.Store(false)
			time.Sleep(2 * time.Second)
			_, err = replicas[cut].Authenticate(t.Context(), text)
			require.ErrorIs(t, err, access.ErrUnknown)
		})
	}
}

func TestAStoreThatIsAwayForAMomentShutsNobodyOut(t *testing.T) {
	r := setup(t)
	_, text := r.issue(access.Issue{Name: "ci"})
	r.granted(text)
	r.cable.cut.Store(true)
	for range 29 {
		r.now = r.now.Add(time.Second)
		r.granted(text)
		r.granted(text)
	}
	r.cable.cut.Store(false)
	r.now = r.now.Add(time.Second)
	r.granted(text)
	r.cable.cut.Store(true)
	r.now = r.now.Add(29 * time.Second)
	r.granted(text)
}

func TestAStoreThatHangsHoldsUpOneWhoAsksAndNotAllOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cable{Driver: mem.New()}
		tokens := access.NewTokens(events.New(c), nil)
		_, text, err := tokens.Issue(t.Context(), access.Issue{Name: "ci", Role: wire.Viewer})
		require.NoError(t, err)
		_, err = tokens.Authenticate(t.Context(), text)
		require.NoError(t, err)
		time.Sleep(time.Second)
		c.hangs.Store(true)
		began := time.Now()
		for range 100 {
			_, err := tokens.Authenticate(t.Context(), text)
			require.NoError(t, err)
		}
		require.LessOrEqual(t, time.Since(began), 2*time.Second)
	})
}

func TestAServerThatNeverReachedTheStoreGrantsNothing(t *testing.T) {
	r := setup(t)
	_, text := r.issue(access.Issue{Name: "ci"})
	r.cable.cut.Store(true)
	fresh := access.NewTokens(events.New(r.cable), func() time.Time { return r.now })
	_, err := fresh.Authenticate(t.Context(), text)
	require.ErrorIs(t, err, events.ErrUnavailable)
	asked := r.cable.asks.Load()
	for range 10 {
		_, err = fresh.Authenticate(t.Context(), text)
		require.ErrorIs(t, err, events.ErrUnavailable)
	}
	require.Equal(t, asked, r.cable.asks.Load(), "it is not asked again for each of them")
}

func TestTokensOfAStoreThatWasSetBackAreThoseThatAreThereNow(t *testing.T) {
	r := setup(t)
	id, text := r.issue(access.Issue{Name: "ci"})
	_, _, err := r.tokens.Revoke(t.Context(), id, "ada")
	require.NoError(t, err)
	r.refused(text)

	older := &rig{T: t, driver: mem.New(), now: r.now}
	older.tokens = older.replica()
	_, kept := older.issue(access.Issue{Name: "other"})
	r.cable.Driver = older.driver
	r.now = r.now.Add(time.Second)
	r.granted(kept)
	r.refused(text)
}
