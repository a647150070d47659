// Package storetest holds what every backend of the event store promises, as
// tests: a backend's own tests call [Run] and, for figures, [Bench].
//
// Each behaviour has a name and a fresh backend of its own. For each there is a
// broken store in the tests of this package, which it alone finds out: so none
// of them is there for show, and what fails says what is wrong.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/deedrun/deed/events"
)

// Backend makes a fresh, empty backend and returns what opens a store over it,
// as often as a test wants: each of them as if in a process of its own.
type Backend func(t testing.TB) (open func() *events.Store)

// Run tests a backend.
func Run(t *testing.T, backend Backend) {
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, b := range g.behaviours {
				t.Run(b.name, func(t *testing.T) { try(t, b, backend(t)) })
			}
		})
	}
}

// behaviour is something that a store does, in a sentence, and how to see it.
type behaviour struct {
	name string
	test func(t *trial)
}

type group struct {
	name       string
	behaviours []behaviour
}

// groups are all behaviours.
var groups = []group{
	{"expected version", expecting},
	{"retry", retrying},
	{"race", racing},
	{"limits", limits},
	{"read", reading},
	{"content", content},
	{"streams", listing},
	{"subscription", subscribing},
	{"resume", resuming},
	{"end", ending},
	{"replace", replacing},
}

// tester is what a behaviour reports to: a *testing.T, or whatever runs it to
// see it fail.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	FailNow()
	Cleanup(f func())
}

// trial is one behaviour tried on one backend.
type trial struct {
	tester
	ctx      context.Context // ends with the trial
	backend  func() *events.Store
	versions map[string]uint64 // of the streams that follow appended to
}

// patience bounds a behaviour: waiting for what comes at once when it comes at
// all.
const patience = time.Minute

func try(t tester, b behaviour, open func() *events.Store) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	b.test(&trial{tester: t, ctx: ctx, backend: open, versions: map[string]uint64{}})
}
