package natsproc_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/internal/natsproc"
)

func init() { natsproc.Serve() }

// publish stores messages in a log that nothing is deleted from, over a
// connection of its own.
func publish(t *testing.T, p *natsproc.Process, texts ...string) {
	t.Helper()
	nc, err := natsconn.Connect(t.Context(), p.URL(), "token", natsconn.ConnOptions{})
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = natsconn.EnsureStream(t.Context(), js, jetstream.StreamConfig{Name: "LOG", Subjects: []string{"l"}, DenyDelete: true})
	require.NoError(t, err)
	for _, text := range texts {
		_, err := js.Publish(t.Context(), "l", []byte(text))
		require.NoError(t, err)
	}
}

func TestAServerThatWasKilledIsNotServedAgainWhenWhatItHadAtItsStartIsDamaged(t *testing.T) {
	dir := t.TempDir()
	p, err := natsproc.Start(t.Context(), natsproc.Options{Dir: dir, Listen: "127.0.0.1:0", Token: "token"})
	require.NoError(t, err)
	publish(t, p, "one", "two", "three")
	require.NoError(t, p.Kill())
	require.NoError(t, p.Again(t.Context()))
	publish(t, p, "four")
	require.NoError(t, p.Kill())

	file := filepath.Join(dir, "jetstream", "$G", "streams", "LOG", "msgs", "1.blk")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	data[len(data)/3] ^= 1 // in the second message
	require.NoError(t, os.WriteFile(file, data, 0o600))
	err = p.Again(t.Context())
	require.ErrorContains(t, err, "it ended before it served")
	require.ErrorContains(t, err, `stream "LOG" has lost messages: it ends at message 1 and had 3`)
}

func TestAProcessThatStopsInGoodOrderSaysSoAndOneThatHadEndedIsNotKilled(t *testing.T) {
	p, err := natsproc.Start(t.Context(), natsproc.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "token"})
	require.NoError(t, err)
	publish(t, p, "one")
	require.NoError(t, p.Stop())
	require.ErrorContains(t, p.Kill(), "process already finished")
	require.NoError(t, p.Again(t.Context()))
	require.NoError(t, p.Kill())
}
