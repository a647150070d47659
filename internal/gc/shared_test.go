package gc_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/gc"
)

// An import finds old content and renews it: the collection has listed the
// renewal of an earlier time, which is old, too, and comes to the content later.
func TestWhatIsImportedAgainStaysAlthoughItsRenewalWasGarbage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := deed.Open(t.Context(), deed.Options{})
		require.NoError(t, err)
		defer r.Close()
		submit(t, r, "other")
		given := func() {
			_, err := r.Blobs.Import(t.Context(), strings.NewReader("the corpus"))
			require.NoError(t, err)
		}
		const long = 2 * blob.RenewedFor
		given()
		time.Sleep(long)
		given() // which stores a renewal
		time.Sleep(long)
		again := false
		collectGarbage(t, r, gc.Options{Delete: true, Grace: time.Minute, Pause: func(point gc.Point) {
			if point == gc.BeforeRemove && !again {
				given()
				again = true
			}
		}})
		require.True(t, again)
		time.Sleep(time.Minute)
		found := 0
		for o, err := range r.Blobs.Objects(t.Context()) {
			require.NoError(t, err)
			if o.Size == int64(len("the corpus")) {
				found++
			}
		}
		require.Equal(t, 1, found, "what was imported a minute ago is there")
	})
}
