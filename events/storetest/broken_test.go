package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
)

// flaw is a mistake in a store.
type flaw struct {
	behaviour string // which finds it out
	is        string
	// opens makes a store with the mistake, as often as a test wants, over one
	// backend.
	opens func(l *lab) func(f *flawed)
}

// each is a mistake that every store makes by itself: nothing is shared but the
// backend.
func each(breaks func(f *flawed)) func(*lab) func(*flawed) {
	return func(*lab) func(*flawed) { return breaks }
}

// flaws has one for each behaviour.
var flaws = slices.Concat(flawsOfVersions, flawsOfRetries, flawsOfRaces, flawsOfLimits, flawsOfReads, flawsOfContent,
	flawsOfLists, flawsOfFeeds, flawsOfResuming, flawsOfEnds, flawsOfReplacing)

// outcome tries behaviours on stores with a flaw, or with none, and says which
// failed, and how. It runs in a bubble: what waits for ever runs out of patience
// at once.
func outcome(t *testing.T, list []behaviour, opens func(l *lab) func(f *flawed)) map[string][]string {
	failed := map[string][]string{}
	synctest.Test(t, func(*testing.T) {
		for _, b := range list {
			l := &lab{Driver: mem.New()}
			breaks := opens(l)
			said := report(func(t tester) {
				try(t, b, func() *events.Store {
					f := &flawed{lab: l}
					breaks(f)
					return events.New(f)
				})
			})
			if len(said) > 0 {
				failed[b.name] = said
			}
		}
	})
	return failed
}

// all are the behaviours of all groups.
func all() []behaviour {
	var list []behaviour
	for _, g := range groups {
		list = append(list, g.behaviours...)
	}
	return list
}

func TestEachBrokenStoreIsFoundOutByOneBehaviourAlone(t *testing.T) {
	for _, f := range flaws {
		t.Run(f.is, func(t *testing.T) {
			t.Parallel()
			list := all()
			if raced { // which is a matter of the one behaviour
				list = slices.DeleteFunc(list, func(b behaviour) bool { return b.name != f.behaviour })
			}
			failed := outcome(t, list, f.opens)
			assert.Contains(t, failed, f.behaviour, "this passes on the broken store")
			delete(failed, f.behaviour)
			for other, said := range failed {
				assert.Fail(t, fmt.Sprintf("%q fails as well", other), strings.Join(said, "\n"))
			}
		})
	}
}

func TestAStoreWithoutAFlawPasses(t *testing.T) {
	assert.Empty(t, outcome(t, all(), each(func(*flawed) {})))
}

func TestEachBehaviourHasABrokenStore(t *testing.T) {
	var names, broken []string
	for _, b := range all() {
		names = append(names, b.name)
	}
	for _, f := range flaws {
		broken = append(broken, f.behaviour)
	}
	slices.Sort(names)
	require.Equal(t, slices.Compact(slices.Clone(names)), names, "names are unique")
	assert.ElementsMatch(t, names, broken)
	assert.GreaterOrEqual(t, len(names), 40)
}
