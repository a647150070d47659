package python

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDeedPyDoesWhatItsOwnTestsSay(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed here")
	}
	_, err = os.Stat("deed_test.py") // or Go would not know that a cached result is of another one
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, python, "-B", "deed_test.py").CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.Contains(t, string(said), "\nOK\n")
}
