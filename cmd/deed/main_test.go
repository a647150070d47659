package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/esdbtest"
	"github.com/deedrun/deed/internal/tmpfs"
)

// soak is how many rounds the kill tests run.
var soak = flag.Int("soak", 6, "rounds of the kill tests")

// beDeed makes the test binary the command: the tests run the real thing.
const beDeed = "DEED_TEST_BE_DEED"

func TestMain(m *testing.M) {
	if os.Getenv(beDeed) != "" {
		main()
	}
	tmpfs.Use()
	// These tests wait for other processes most of the time: more of them run at
	// once than there are cores, unless -parallel says how many.
	if err := flag.Set("test.parallel", strconv.Itoa(5*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"deed": main})
}

// deedCommand is the real binary, to be started in dir. It is killed with what
// it started when the test ends, or when it hangs.
func deedCommand(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), beDeed+"=1", "XDG_CONFIG_HOME="+dir) // no context of who runs the tests
	return cmd
}

// TestScripts runs the command as a person does; each script in testdata/script
// is a story of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	corpus, err := filepath.Abs("../../examples/wordcount")
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"misdirect": misdirect, "esdb": eventStoreDB, "certificate": certificate},
		Setup: func(env *testscript.Env) error {
			env.Setenv("WORDCOUNT", corpus)
			env.Setenv("NO_COLOR", "1")
			env.Values[esdbKey{}] = new(*esdbtest.Server)
			env.Setenv("OUTSIDE", outsideAddress())
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "traceable":
				return exec.CommandContext(t.Context(), "strace", "-f", "-o", os.DevNull, "true").Run() == nil, nil
			case "outside":
				return outsideAddress() != "", nil
			}
			return false, fmt.Errorf("there is no condition %q", name)
		},
	})
}
