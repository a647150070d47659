package python

import (
	"context"
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, python, "-B", "deed_test.py").CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.Contains(t, string(said), "\nOK\n")
}
