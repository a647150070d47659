package natsconn_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsconn"
)

func TestEnsureStream(t *testing.T) {
	js := connect(t, start(t, natsconn.ServerOptions{InProcessOnly: true}))
	config := func(name string) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: name, Subjects: []string{name + ".a", name + ".b"}, Retention: jetstream.WorkQueuePolicy,
			Storage: jetstream.FileStorage, PersistMode: jetstream.AsyncPersistMode, AllowDirect: true,
		}
	}

	t.Run("a stream is created as asked, and found again", func(t *testing.T) {
		want := config("FOUND")
		stream, err := natsconn.EnsureStream(t.Context(), js, want)
		require.NoError(t, err)
		assert.Equal(t, jetstream.AsyncPersistMode, stream.CachedInfo().Config.PersistMode)
		want.Subjects = []string{"FOUND.b", "FOUND.a"}
		_, err = natsconn.EnsureStream(t.Context(), js, want)
		assert.NoError(t, err)
	})

	t.Run("a stream with other settings is refused, each difference named, and left as it is", func(t *testing.T) {
		_, err := natsconn.EnsureStream(t.Context(), js, config("OTHER"))
		require.NoError(t, err)
		_, err = natsconn.EnsureStream(t.Context(), js, jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"OTHER.a"}, Replicas: 3, DenyDelete: true})
		require.Error(t, err)
		for _, says := range []string{
			`stream "OTHER"`, "subjects is [OTHER.a OTHER.b], wanted [OTHER.a]", "retention is WorkQueue, wanted Limits",
			"persist mode is Async, wanted Default", "deny delete is false, wanted true", "allow direct is true, wanted false",
			"replicas is 1, wanted 3", "another name",
		} {
			assert.ErrorContains(t, err, says)
		}
		_, err = natsconn.EnsureStream(t.Context(), js, config("OTHER"))
		assert.NoError(t, err)
	})

	t.Run("many may ensure one stream at once", func(t *testing.T) {
		failed := make(chan error)
		for range 8 {
			go func() {
				_, err := natsconn.EnsureStream(t.Context(), js, config("RACED"))
				failed <- err
			}()
		}
		for range 8 {
			assert.NoError(t, <-failed)
		}
	})

	t.Run("an unusable config is an error at once, not retried", func(t *testing.T) {
		bad := config("BAD")
		bad.Storage = jetstream.MemoryStorage // excludes async persistence
		_, err := natsconn.EnsureStream(t.Context(), js, bad)
		require.ErrorContains(t, err, `stream "BAD"`)
		assert.NotContains(t, err.Error(), "gave up")
	})

	t.Run("without a server it waits as long as the context allows, and says what to look at", func(t *testing.T) {
		s := start(t, natsconn.ServerOptions{})
		nc, err := natsconn.Connect(t.Context(), s.URL(), s.Token(), natsconn.ConnOptions{})
		require.NoError(t, err)
		defer nc.Close()
		gone, err := jetstream.New(nc)
		require.NoError(t, err)
		lost := nc.StatusChanged(nats.RECONNECTING)
		s.Close()
		<-lost
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err = natsconn.EnsureStream(ctx, gone, config("GONE"))
		assert.ErrorContains(t, err, "gave up waiting for JetStream")
	})
}
