//go:build planted

package whole_test

import (
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/planted"
)

var within = flag.Uint64("within", 1000, "worlds within which a planted fault has to be found")

// A test that cannot fail proves nothing: each fault is planted at the one line
// where it could have been made, and the worlds have to find it.
func TestTheWorldsFindEveryPlantedFault(t *testing.T) {
	for _, fault := range planted.All() {
		t.Run(string(fault), func(t *testing.T) {
			planted.Plant(fault)
			defer planted.Plant("")
			began := time.Now()
			for seed := uint64(1); seed <= *within; seed++ {
				if err := liveThrough(t.Context(), seed); err != nil {
					text := err.Error()
					t.Logf("found in the world of seed %d, after %s: %s", seed, time.Since(began).Round(time.Millisecond), text[:min(len(text), 200)])
					return
				}
			}
			require.Fail(t, "not found", "in %d worlds", *within)
		})
	}
}
