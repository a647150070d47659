package cloudtest

import (
	"os"
	"slices"
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

// given is a variable, and what it was before. Each who needs it says what it is
// to be; the last of those that still do is heard.
type given struct {
	wanted []*string
	before string
	was    bool
}

// setenv gives the process the environment of a client, until the test ends.
func (s *Server) setenv(t testing.TB) {
	t.Helper()
	for name, value := range s.variables() {
		environment.Lock()
		v := environment.given[name]
		if v == nil {
			v = &given{}
			v.before, v.was = os.LookupEnv(name)
			environment.given[name] = v
		}
		v.wanted = append(v.wanted, &value)
		err := os.Setenv(name, value) //nolint:usetesting // t.Setenv has no parallel tests
		environment.Unlock()
		t.Cleanup(func() { v.giveBack(name, &value) })
		require.NoError(t, err)
	}
}

// giveBack makes a variable what those want who still need it, or what it was
// before any did.
func (v *given) giveBack(name string, value *string) {
	environment.Lock()
	defer environment.Unlock()
	v.wanted = slices.DeleteFunc(v.wanted, func(w *string) bool { return w == value })
	if n := len(v.wanted); n > 0 {
		_ = os.Setenv(name, *v.wanted[n-1])
		return
	}
	if v.was {
		_ = os.Setenv(name, v.before)
	} else {
		_ = os.Unsetenv(name)
	}
	delete(environment.given, name)
}
