package esdb_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/esdbtest"
)

// A commit of more events than are read at first is read again from where it
// begins; in between it may be forgotten.
func TestAStreamThatIsReplacedWhileItsLastCommitIsReadIsNotCalledDamaged(t *testing.T) {
	server := start(t, esdbtest.Options{})
	reader, writer := open(t, server.URL()), open(t, server.URL())
	note := events.Record{Type: "Noted", Data: []byte(`1`)}
	many := make([]events.Record, 20)
	for i := range many {
		many[i] = note
	}
	version, err := writer.Append(t.Context(), "a", events.NoStream(), "c1", many...)
	require.NoError(t, err)

	before := server.Calls(esdbtest.Read)
	replaced := make(chan struct{})
	server.Next(esdbtest.Read, esdbtest.Fault{}, esdbtest.Hold(replaced))
	type answer struct {
		last events.Commit
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		c, _, err := reader.Last(t.Context(), "a")
		answers <- answer{c, err}
	}()
	require.Eventually(t, func() bool { return server.Calls(esdbtest.Read) == before+2 }, 10*time.Second, time.Millisecond)
	_, err = writer.Replace(t.Context(), "a", events.Exactly(version), "moved", note)
	require.NoError(t, err)
	close(replaced)
	got := <-answers
	require.NoError(t, got.err)
	assert.Equal(t, "moved", got.last.ID)
}
