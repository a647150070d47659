package natsconn

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSync(t *testing.T) {
	t.Run("the server syncs every message before it acknowledges, unless told not to", func(t *testing.T) {
		for _, noSync := range []bool{false, true} {
			s, err := Start(ServerOptions{Dir: t.TempDir(), InProcessOnly: true, NoSync: noSync})
			require.NoError(t, err)
			assert.Equal(t, !noSync, s.srv.JetStreamConfig().SyncAlways)
			s.Close()
		}
	})
}
