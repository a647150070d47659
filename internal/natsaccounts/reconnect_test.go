package natsaccounts_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsaccounts"
)

func TestARoleWhoseFileHasANewKeyComesBackWithTheFormerUntilItIsStartedAgain(t *testing.T) {
	t.Parallel()
	l := lock(t, "")
	nc := l.as("worker")
	_, err := natsaccounts.Folder{Dir: l.dir, Replace: true}.Write(nil)
	require.NoError(t, err)
	require.NoError(t, l.server.ReloadOptions(l.config("")))
	before := nc.Stats().Reconnects
	require.NoError(t, nc.ForceReconnect())
	require.Eventually(t, func() bool { return nc.IsConnected() && nc.Stats().Reconnects > before }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, nc.FlushTimeout(5*time.Second))
}
