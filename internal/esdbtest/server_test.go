package esdbtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed/internal/esdbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What these tests say, the double claims of EventStoreDB. They can be held
// against a real one, which has more than the double: names of their own keep
// them apart from what else is there.

func TestTheDouble(t *testing.T) {
	s, err := esdbtest.Start(esdbtest.Options{})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	claims(t, s.URL())
}

func TestARealServer(t *testing.T) {
	address := os.Getenv("DEED_TEST_ESDB")
	if address == "" {
		t.Skip("what the double claims is not held against a real EventStoreDB: set DEED_TEST_ESDB=esdb://…; docs/eventstoredb.md")
	}
	claims(t, address)
}

func claims(t *testing.T, address string) {
	conf, err := esdb.ParseConnectionString(address)
	require.NoError(t, err)
	conf.Logger = nil
	client, err := esdb.NewClient(conf)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	t.Cleanup(cancel)
	c := &claim{client: client, ctx: ctx, run: time.Now().UnixNano()}

	t.Run("a revision is that of the last event, and the position one for all", func(t *testing.T) {
		name := c.stream()
		first := c.append(t, name, esdb.NoStream{}, fresh(3)...)
		assert.EqualValues(t, 2, first.NextExpectedVersion)
		second := c.append(t, name, esdb.Revision(2), fresh(1)...)
		assert.EqualValues(t, 3, second.NextExpectedVersion)
		assert.Greater(t, second.CommitPosition, first.CommitPosition)
		list := c.read(t, name, esdb.ReadStreamOptions{})
		require.Len(t, list, 4)
		for i, e := range list {
			assert.EqualValues(t, i, e.EventNumber)
			assert.Equal(t, e.Position.Commit, e.Position.Prepare)
			assert.WithinDuration(t, time.Now(), e.CreatedDate, time.Hour)
		}
		assert.Equal(t, first.CommitPosition, list[2].Position.Commit)
		assert.Equal(t, second.CommitPosition, list[3].Position.Commit)
	})

	t.Run("what is not at the expected revision is refused", func(t *testing.T) {
		name := c.stream()
		c.refused(t, name, esdb.Revision(0))
		c.refused(t, name, esdb.StreamExists{})
		c.append(t, name, esdb.NoStream{}, fresh(2)...)
		c.refused(t, name, esdb.NoStream{})
		c.refused(t, name, esdb.Revision(0))
		c.refused(t, name, esdb.Revision(5))
		c.append(t, name, esdb.StreamExists{}, fresh(1)...)
		assert.Len(t, c.read(t, name, esdb.ReadStreamOptions{}), 3)
	})

	t.Run("the same events at the same revision are written once, at a later one again", func(t *testing.T) {
		name := c.stream()
		list := fresh(2)
		c.append(t, name, esdb.NoStream{}, list...)
		c.append(t, name, esdb.Revision(1), fresh(1)...)
		again := c.append(t, name, esdb.NoStream{}, list...)
		assert.EqualValues(t, 1, again.NextExpectedVersion)
		assert.Len(t, c.read(t, name, esdb.ReadStreamOptions{}), 3)
		c.append(t, name, esdb.Revision(2), list...)
		assert.Len(t, c.read(t, name, esdb.ReadStreamOptions{}), 5)
		_, err := client.AppendToStream(ctx, name, esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, list[0], fresh(1)[0])
		assert.Error(t, err, "half of them are others")
	})

	t.Run("a read begins with the revision it names, in both directions", func(t *testing.T) {
		name := c.stream()
		c.append(t, name, esdb.NoStream{}, fresh(5)...)
		numbers := func(o esdb.ReadStreamOptions) (out []uint64) {
			for _, e := range c.read(t, name, o) {
				out = append(out, e.EventNumber)
			}
			return out
		}
		assert.Equal(t, []uint64{3, 4}, numbers(esdb.ReadStreamOptions{From: esdb.Revision(3)}))
		assert.Empty(t, numbers(esdb.ReadStreamOptions{From: esdb.Revision(5)}))
		assert.Equal(t, []uint64{3, 2, 1, 0}, numbers(esdb.ReadStreamOptions{From: esdb.Revision(3), Direction: esdb.Backwards}))
		assert.Equal(t, []uint64{4, 3, 2, 1, 0}, numbers(esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards}))
	})

	t.Run("a stream that is not there is not found", func(t *testing.T) {
		feed, err := client.ReadStream(ctx, c.stream(), esdb.ReadStreamOptions{}, 1)
		require.NoError(t, err)
		defer feed.Close()
		_, err = feed.Recv()
		assert.True(t, is(err, esdb.ErrorCodeResourceNotFound), err)
	})

	t.Run("all is read with the position that is named forwards, without it backwards", func(t *testing.T) {
		name := c.stream()
		at := c.append(t, name, esdb.NoStream{}, fresh(1)...)
		c.append(t, name, esdb.Revision(0), fresh(1)...)
		here := esdb.Position{Commit: at.CommitPosition, Prepare: at.PreparePosition}
		list := c.collect(t, func() (*esdb.ReadStream, error) { return client.ReadAll(ctx, esdb.ReadAllOptions{From: here}, 1) })
		require.Len(t, list, 1)
		assert.Equal(t, at.CommitPosition, list[0].Position.Commit)
		list = c.collect(t, func() (*esdb.ReadStream, error) {
			return client.ReadAll(ctx, esdb.ReadAllOptions{From: here, Direction: esdb.Backwards}, 1)
		})
		require.Len(t, list, 1)
		assert.Less(t, list[0].Position.Commit, at.CommitPosition)
	})

	t.Run("a subscription begins behind the position it names, and goes on", func(t *testing.T) {
		name := c.stream()
		at := c.append(t, name, esdb.NoStream{}, fresh(2)...)
		c.append(t, name, esdb.Revision(1), fresh(2)...)
		sub, err := client.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{
			From:   esdb.Position{Commit: at.CommitPosition, Prepare: at.PreparePosition},
			Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{name}},
		})
		require.NoError(t, err)
		defer sub.Close()
		c.append(t, c.stream(), esdb.NoStream{}, fresh(1)...)
		c.append(t, name, esdb.Revision(3), fresh(1)...)
		for want := uint64(2); want < 5; {
			got := sub.Recv()
			require.Nil(t, got.SubscriptionDropped)
			if got.EventAppeared != nil {
				assert.Equal(t, name, got.EventAppeared.Event.StreamID)
				assert.Equal(t, want, got.EventAppeared.Event.EventNumber)
				want++
			}
		}
	})

	t.Run("what is deleted softly goes on behind its numbers, what is deleted for good is gone", func(t *testing.T) {
		name := c.stream()
		c.append(t, name, esdb.NoStream{}, fresh(3)...)
		_, err := client.DeleteStream(ctx, name, esdb.DeleteStreamOptions{})
		require.NoError(t, err)
		assert.Empty(t, c.read(t, name, esdb.ReadStreamOptions{}))
		meta, err := client.GetStreamMetadata(ctx, name, esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards})
		require.NoError(t, err)
		require.NotNil(t, meta.TruncateBefore())
		assert.EqualValues(t, 3, c.append(t, name, esdb.NoStream{}, fresh(1)...).NextExpectedVersion)

		_, err = client.TombstoneStream(ctx, name, esdb.TombstoneStreamOptions{})
		require.NoError(t, err)
		_, err = client.AppendToStream(ctx, name, esdb.AppendToStreamOptions{}, fresh(1)...)
		assert.True(t, is(err, esdb.ErrorCodeStreamDeleted), err)
	})
}

// claim is what the tests of one server share.
type claim struct {
	client *esdb.Client
	ctx    context.Context
	run    int64
	count  int
}

func (c *claim) stream() string {
	c.count++
	return fmt.Sprintf("claim-%x-%d", c.run, c.count)
}

func fresh(count int) []esdb.EventData {
	list := make([]esdb.EventData, count)
	for i := range list {
		list[i] = esdb.EventData{EventID: uuid.New(), EventType: "Claimed", ContentType: esdb.ContentTypeJson, Data: []byte(`{}`), Metadata: []byte(`{}`)}
	}
	return list
}

func (c *claim) append(t *testing.T, name string, expected esdb.ExpectedRevision, list ...esdb.EventData) *esdb.WriteResult {
	t.Helper()
	done, err := c.client.AppendToStream(c.ctx, name, esdb.AppendToStreamOptions{ExpectedRevision: expected}, list...)
	require.NoError(t, err)
	return done
}

func (c *claim) refused(t *testing.T, name string, expected esdb.ExpectedRevision) {
	t.Helper()
	_, err := c.client.AppendToStream(c.ctx, name, esdb.AppendToStreamOptions{ExpectedRevision: expected}, fresh(1)...)
	assert.True(t, is(err, esdb.ErrorCodeWrongExpectedVersion), err)
}

// read is a whole stream; none if it is not there.
func (c *claim) read(t *testing.T, name string, o esdb.ReadStreamOptions) []*esdb.RecordedEvent {
	t.Helper()
	return c.collect(t, func() (*esdb.ReadStream, error) { return c.client.ReadStream(c.ctx, name, o, 100) })
}

func (c *claim) collect(t *testing.T, open func() (*esdb.ReadStream, error)) []*esdb.RecordedEvent {
	t.Helper()
	feed, err := open()
	require.NoError(t, err)
	defer feed.Close()
	var list []*esdb.RecordedEvent
	for {
		e, err := feed.Recv()
		if errors.Is(err, io.EOF) || is(err, esdb.ErrorCodeResourceNotFound) {
			return list
		}
		require.NoError(t, err)
		list = append(list, e.OriginalEvent())
	}
}

func is(err error, code esdb.ErrorCode) bool {
	var known *esdb.Error
	return errors.As(err, &known) && known.Code() == code
}
