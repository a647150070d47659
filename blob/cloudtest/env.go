package cloudtest

import (
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// alone is held by the test whose server is where the environment says.
var alone sync.Mutex

// environment is what tests gave the process. They may be parallel, so it is taken
// away by the last one that needs it.
var environment = struct {
	sync.Mutex
	given map[string]*given
}{given: map[string]*given{}}

// given is a variable, and what it was before.
type given struct {
	needed int
	before string
	was    bool
}

// setenv gives the process the environment of a client, until the test ends.
func (s *Server) setenv(t testing.TB) {
	t.Helper()
	for name, value := range s.variables() {
		environment.Lock()
		v := environment.given[name]
		now, is := os.LookupEnv(name)
		if v == nil {
			v = &given{before: now, was: is}
			environment.given[name] = v
		}
		v.needed++
		err := os.Setenv(name, value) //nolint:usetesting // t.Setenv has no parallel tests
		environment.Unlock()
		t.Cleanup(func() { v.giveBack(name, now) })
		require.NoError(t, err)
	}
}

// giveBack takes a variable away, or makes it what it was for the test around.
func (v *given) giveBack(name, now string) {
	environment.Lock()
	defer environment.Unlock()
	switch v.needed--; {
	case v.needed > 0:
		_ = os.Setenv(name, now)
		return
	case v.was:
		_ = os.Setenv(name, v.before)
	default:
		_ = os.Unsetenv(name)
	}
	delete(environment.given, name)
}
