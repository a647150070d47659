package blob_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/stretchr/testify/require"
	"gocloud.dev/gcerrors"
)

// first fails the first n requests of an operation.
func first(n int, operation string, err error) func(string, int) error {
	return func(asked string, nth int) error {
		if asked == operation && nth < n {
			return err
		}
		return nil
	}
}

func TestReadingGoesOnWhereTheConnectionBroke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := strings.Repeat("0123456789", 6)
		broken := map[int64]bool{}
		b := &shaky{reading: func(offset int64) error {
			if offset%20 == 0 && offset > 0 && !broken[offset] {
				broken[offset] = true
				return map[bool]error{true: io.ErrUnexpectedEOF, false: io.EOF}[offset == 20]
			}
			return nil
		}}
		store := openShaky(t, b)
		ref := stored(t, store, "k", text)
		data, err := store.ReadAll(t.Context(), ref, 100)
		require.NoError(t, err)
		require.Equal(t, text, string(data))
		require.Equal(t, []string{"write", "read 0", "read 20", "read 40"}, b.asked)
	})
}

func TestAStreamThatStandsStillIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := true
		b := &shaky{reading: func(offset int64) error {
			if offset == 10 && stuck {
				stuck = false
				return errStuck
			}
			return nil
		}}
		store := openShaky(t, b)
		ref := stored(t, store, "k", "0123456789abc")
		began := time.Now()
		data, err := store.ReadAll(t.Context(), ref, 100)
		require.NoError(t, err)
		require.Equal(t, "0123456789abc", string(data))
		require.InDelta(t, 30, time.Since(began).Seconds(), 1)
	})
}

func TestAReaderMayTakeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &shaky{}
		store := openShaky(t, b)
		ref := stored(t, store, "k", "0123456789abc")
		r, err := store.Open(t.Context(), ref)
		require.NoError(t, err)
		defer r.Close()
		time.Sleep(time.Hour)
		_, err = io.ReadFull(r, make([]byte, 5))
		require.NoError(t, err)
		time.Sleep(time.Hour)
		rest, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, "56789abc", string(rest))
		require.Equal(t, []string{"write", "read 0"}, b.asked)
	})
}

func TestABlobThatIsAnotherWhenItIsOpenedAgainIsCorrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &shaky{}
		store := openShaky(t, b)
		ref := stored(t, store, "k", "0123456789abc")
		b.reading = func(offset int64) error {
			if offset == 10 && len(b.objects["k"].data) == 13 {
				b.objects["k"] = shakyObject{data: []byte("0123456789abcdef")}
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		began := time.Now()
		data, err := store.ReadAll(t.Context(), ref, 100)
		var corrupt *blob.CorruptError
		require.ErrorAs(t, err, &corrupt)
		require.Equal(t, "k", corrupt.Key)
		require.Less(t, time.Since(began), time.Second, "it is not asked for again and again")
		require.Nil(t, data)
	})
}

func TestEveryRequestIsRepeatedUntilTroublePasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &shaky{}
		store := openShaky(t, b)
		fail := func(operation string) { b.asked, b.before = nil, first(3, operation, errShakyTrouble) }
		fail("write")
		ref := stored(t, store, "k", "hello")
		require.Equal(t, []string{"write", "look", "write", "look", "write", "look", "write"}, b.asked)
		fail("read 0")
		data, err := store.ReadAll(t.Context(), ref, 100)
		require.NoError(t, err)
		require.Equal(t, "hello", string(data))
		fail("look")
		require.NoError(t, store.Want(t.Context(), ref))
		fail("list")
		names, err := store.Names(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []string{"k"}, names)
		fail("delete")
		require.NoError(t, store.Remove(t.Context(), "k"))
		require.Empty(t, b.objects)
		require.Len(t, b.asked, 4)
	})
}

func TestTroubleThatDoesNotPassIsAnErrorAfterHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &shaky{}
		store := openShaky(t, b)
		ref := stored(t, store, "k", "hello")
		b.before = first(1000, "read 0", errShakyTrouble)
		began := time.Now()
		_, err := store.Open(t.Context(), ref)
		require.ErrorContains(t, err, `open blob "k": `)
		require.ErrorContains(t, err, "the store answered 503 (tried ")
		require.NotErrorIs(t, err, blob.ErrNotFound)
		require.InDelta(t, 27, time.Since(began).Seconds(), 3.1)
		tries := len(b.asked)
		require.Less(t, tries, 30)
	})
}

func TestWhatAStoreAnswersIsToldInALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &shaky{}
		store := openShaky(t, b)
		ref := stored(t, store, "k", "hello")
		answer := "GET http://x\n--------\nRESPONSE 404: Not Found\n<xml>" + strings.Repeat("y", 1000) + "</xml>"
		b.before = first(1, "read 0", fmt.Errorf("%s%w", answer, errShakyMissing))
		_, err := store.Open(t.Context(), ref)
		require.ErrorIs(t, err, blob.ErrNotFound)
		require.Contains(t, err.Error(), "GET http://x RESPONSE 404: Not Found <xml>yyy")
		require.NotContains(t, err.Error(), "\n")
		require.Less(t, len(err.Error()), 400)
	})
}

func TestWhoNoLongerWaitsIsNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &shaky{}
		store := openShaky(t, b)
		ref := stored(t, store, "k", "hello")
		b.before = first(1000, "read 0", errShakyTrouble)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := store.Open(ctx, ref)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(began), time.Second)
	})
}

func TestWhatCannotPassIsNotTriedAgain(t *testing.T) {
	for name, err := range map[string]error{
		"a blob that is not there":       errShakyMissing,
		"a permission that is missing":   refusal{status: 403, code: gcerrors.NotFound},
		"a key that is not known":        refusal{status: 401},
		"a request that is wrong":        refusal{status: 400},
		"a bucket that moved":            refusal{status: 301, code: gcerrors.NotFound},
		"what the store does not know":   refusal{code: gcerrors.Unimplemented},
		"what the driver does not allow": refusal{code: gcerrors.InvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &shaky{}
				store := openShaky(t, b)
				ref := stored(t, store, "k", "hello")
				b.asked, b.before = nil, first(1000, "read 0", err)
				_, got := store.Open(t.Context(), ref)
				require.ErrorIs(t, got, err)
				require.Equal(t, []string{"read 0"}, b.asked)
				require.Equal(t, name == "a blob that is not there", errors.Is(got, blob.ErrNotFound))
			})
		})
	}
}

func TestATroubleIsNotTakenForABlobThatIsNotThere(t *testing.T) {
	for name, err := range map[string]error{
		"an answer that the driver misreads": refusal{status: 500, code: gcerrors.NotFound},
		"a name that is not resolved":        fmt.Errorf("%w: %w", refusal{code: gcerrors.NotFound}, &net.DNSError{Err: "no such host", Name: "x"}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &shaky{}
				store := openShaky(t, b)
				ref := stored(t, store, "k", "hello")
				b.before = first(2, "read 0", err)
				data, err := store.ReadAll(t.Context(), ref, 100)
				require.NoError(t, err)
				require.Equal(t, "hello", string(data))
			})
		})
	}
}

// large is more than what is sent in one request.
var large = strings.Repeat("0123456789", 200_000)

// errLost is what a writer hears of a write that was done.
var errLost = errors.New("the connection was reset")

func TestABlobWhoseAnswerWasLostIsThere(t *testing.T) {
	for name, data := range map[string]string{"a small one": "hello", "a large one": large} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &shaky{after: first(1, "write", errLost)}
				store := openShaky(t, b)
				ref := stored(t, store, "k", data)
				require.EqualValues(t, len(data), ref.Size)
				require.Equal(t, "write", b.asked[0])
				require.NotContains(t, b.asked[1:], "write")
			})
		})
	}
	t.Run("also if nobody can look at it for a while", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := &shaky{after: first(1, "write", errLost), before: first(8, "look", errShakyTrouble)}
			store := openShaky(t, b)
			stored(t, store, "k", "hello")
		})
	})
}

func TestABlobOfSomebodyElseStaysATakenKey(t *testing.T) {
	for name, data := range map[string]string{"small": "hello", "large": large} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &shaky{}
				store := openShaky(t, b)
				stored(t, store, "k", data) // even of the same content
				w, err := store.Create(t.Context(), "k")
				require.NoError(t, err)
				_, err = io.WriteString(w, data)
				require.NoError(t, err)
				require.ErrorIs(t, w.Close(), blob.ErrExists)
				require.Zero(t, w.Ref())
				require.Len(t, slices.DeleteFunc(b.asked, func(s string) bool { return s != "write" }), 2)
			})
		})
	}
}

func TestALargeBlobThatFailsIsAnErrorAndNothingIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &shaky{before: first(1, "write", errShakyTrouble)}
		store := openShaky(t, b)
		w, err := store.Create(t.Context(), "k")
		require.NoError(t, err)
		_, err = io.WriteString(w, large)
		require.NoError(t, err)
		require.ErrorIs(t, w.Close(), errShakyTrouble)
		require.Empty(t, b.objects)
	})
}

func TestALargeBlobOfWhichTheStoreHasAnotherSizeIsAnErrorOfItsWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &shaky{}
		b.after = func(string, int) error {
			o := b.objects["k"]
			o.data = append(o.data, "and again"...)
			b.objects["k"] = o
			return nil
		}
		store := openShaky(t, b)
		w, err := store.Create(t.Context(), "k")
		require.NoError(t, err)
		_, err = io.WriteString(w, large)
		require.NoError(t, err)
		require.EqualError(t, w.Close(), `finish blob "k": 2000000 bytes were sent, and the store has 2000009: it lost or repeated a piece`)
	})
}

func TestAWriteThatStandsStillEndsAndNobodyIsSaidToHaveCancelledIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &shaky{stuck: true}
		store := openShaky(t, b)
		w, err := store.Create(t.Context(), "k")
		require.NoError(t, err)
		began := time.Now()
		_, err = io.WriteString(w, large)
		require.ErrorContains(t, err, `write blob "k": the store did not answer in time`)
		require.NotErrorIs(t, err, context.Canceled)
		require.Equal(t, err, w.Close())
		require.Equal(t, 5*time.Minute, time.Since(began))
		require.Empty(t, b.objects)
	})
}

func TestAnAbortedBlobIsNeverSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &shaky{}
		store := openShaky(t, b)
		for _, size := range []int{10, 200_000} {
			w, err := store.Create(t.Context(), "k")
			require.NoError(t, err)
			_, err = io.WriteString(w, strings.Repeat("0123456789", size))
			require.NoError(t, err)
			w.Abort()
			require.Error(t, w.Close())
		}
		require.Empty(t, b.objects)
		require.Empty(t, b.asked)
	})
}
