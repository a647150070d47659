package bench

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestARuntimeThatStartsAgainExecutesATaskThatWasLeft(t *testing.T) {
	for name, alone := range map[string]bool{"single": true, "ranges": false} {
		t.Run(name, func(t *testing.T) {
			p := coldParams{Dir: filepath.Join(t.TempDir(), "history"), Done: 200, Alone: alone}
			_, err := fillHistory(t.Context(), "", p)
			require.NoError(t, err)
			for range 2 { // what one start left open, the next one finds
				p.Began = time.Now()
				m, err := startAgain(t.Context(), "", p)
				require.NoError(t, err)
				require.Greater(t, m.Seconds, m.Also["open_seconds"])
			}
		})
	}
}
