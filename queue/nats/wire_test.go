package nats

import (
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

// What comes over the wire may come from anybody.
func TestWire(t *testing.T) {
	status := func(code, description string) *natsgo.Msg {
		return &natsgo.Msg{Header: natsgo.Header{"Status": {code}, "Description": {description}}}
	}

	t.Run("a status ends a request, or not, or is an error", func(t *testing.T) {
		for _, c := range []struct {
			m      *natsgo.Msg
			result outcome
			last   bool
			fails  string
		}{
			{status("100", "Idle Heartbeat"), ended, false, ""},
			{status("404", "No Messages"), ended, true, ""},
			{status("408", "Request Timeout"), ended, true, ""},
			{status("408", "Requests Pending"), contended, true, ""},
			{status("409", "Consumer Deleted"), ended, true, "queue unavailable: the consumer was deleted"},
			{status("409", "Leadership Change"), ended, true, "queue unavailable: Leadership Change"},
			{status("409", "Batch Completed"), ended, true, ""},
			{status("409", "Message Size Exceeds MaxBytes"), ended, true, ""},
			{status("423", "Nats-Wrong-Pin-Id"), ended, true, "not the pinned one"},
			{status("503", ""), ended, true, "no responders"},
			{status("400", "Bad Request"), ended, true, "refused the request: 400 Bad Request"},
			{status("?", ""), ended, false, ""},
			{&natsgo.Msg{Data: []byte("hello")}, ended, false, ""},
		} {
			result, last, err := readStatus(c.m)
			assert.Equal(t, c.result, result)
			assert.Equal(t, c.last, last)
			if c.fails == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.fails)
			}
		}
	})

	t.Run("an answer to a publish is an acknowledgement, a refusal, or neither", func(t *testing.T) {
		for _, data := range []string{`{"stream":"s","seq":7}`, `{"stream":"s","domain":"d","seq":70}`, `{"seq":7, "stream": "s"}`, `{"stream":"s","seq":7,"duplicate":true}`} {
			require.NoError(t, answerTo(&natsgo.Msg{Data: []byte(data)}), data)
		}
		require.ErrorContains(t, answerTo(&natsgo.Msg{Data: []byte(`{"stream":"s","error":{"description":"no","seq":7}}`)}), "no")
		require.ErrorIs(t, answerTo(status("503", "")), natsgo.ErrNoResponders)
		many := status("429", "Too Many Requests")
		many.Data = []byte(`{"error":{"code":429,"err_code":10167,"description":"too many requests"},"stream":"s","seq":0}`)
		require.ErrorContains(t, answerTo(many), "too many requests")
		require.True(t, isUnavailable(answerTo(many)))
		require.True(t, isUnavailable(answerTo(&natsgo.Msg{Data: []byte(`{"error":{"code":503,"err_code":10023,"description":"insufficient resources"},"stream":"s","seq":0}`)})))
		require.True(t, isUnavailable(answerTo(&natsgo.Msg{Data: []byte(`{"error":{"code":429,"err_code":10167}}`)})))

		err := answerTo(&natsgo.Msg{Data: []byte(`{"error":{"code":400,"err_code":10077,"description":"maximum messages exceeded"}}`)})
		require.ErrorContains(t, err, "maximum messages exceeded")
		require.False(t, isUnavailable(err))

		for _, data := range []string{
			"", "{}", "null", "[]", `{"stream":"s"}`, "\x00", `{"stream":"","seq":7}`, `{"stream":"s","seq":0}`, `{"stream":"s","seq":}`,
			`{"stream":"s","seq":7x}`, `{"stream":"s","seq":7`, `{"stream":"s","seq":07}`, `{"stream":7}`,
		} {
			require.ErrorContains(t, answerTo(&natsgo.Msg{Data: []byte(data)}), "no acknowledgement", "answer %q", data)
		}
	})

	t.Run("an answer that nothing waits for is left aside", func(t *testing.T) {
		in := &inbox{subject: "in."}
		f := newFlight([]queue.Message{{}, {}}, []int{0, 1}, in, true)
		f.sent, f.underWay = 1, 1
		ack := []byte(`{"stream":"s","seq":7}`)
		for _, subject := range []string{"", "in.", "in.0", "in.0-1", "in.0--1", "in.0-x", "in.0-99999999999999999999", "in.1-0", "other"} {
			require.NoError(t, f.settle(&natsgo.Msg{Subject: subject, Data: ack}))
			require.Equal(t, 1, f.underWay, "subject %q", subject)
		}
		for range 2 {
			require.NoError(t, f.settle(&natsgo.Msg{Subject: "in.0-0", Data: ack}))
			require.Zero(t, f.underWay)
			require.Equal(t, 1, f.stored)
		}

		f = newFlight([]queue.Message{{}, {}}, []int{0, 1}, in, false)
		f.sent, f.underWay = 2, 2
		for _, subject := range []string{"", "in.", "in.0", "in.0-1", "in.1-", "other"} {
			require.NoError(t, f.settle(&natsgo.Msg{Subject: subject, Data: ack}))
			require.Equal(t, 2, f.underWay, "subject %q", subject)
		}
		for range 3 {
			require.NoError(t, f.settle(&natsgo.Msg{Subject: "in.0-", Data: ack}))
		}
		require.Zero(t, f.underWay)
		require.Equal(t, 2, f.stored)
	})

	t.Run("a message that is no delivery of this queue is left aside", func(t *testing.T) {
		q := &stream{prefix: "deed.queue.work."}
		for _, m := range []*natsgo.Msg{
			{Subject: "deed.queue.work.k"},
			{Subject: "deed.queue.work.k", Reply: "$JS.ACK.x", Sub: &natsgo.Subscription{}},
			{Subject: "elsewhere", Reply: "$JS.ACK.s.c.1.1.1.1.1", Sub: &natsgo.Subscription{}},
		} {
			_, ok := q.delivery(m)
			assert.False(t, ok, "reply %q", m.Reply)
		}
		d, ok := q.delivery(&natsgo.Msg{Subject: "deed.queue.work.k", Reply: "$JS.ACK.s.c.3.1.1.1.1", Sub: &natsgo.Subscription{}})
		require.True(t, ok)
		assert.Equal(t, "k", d.Key)
		assert.Equal(t, 3, d.Count)
	})

	t.Run("what says nothing of a request that stands for a shard is left aside", func(t *testing.T) {
		s := &Sharded{stream: &stream{prefix: "deed.queue.inbox.", form: inShards}, subject: "in."}
		h := &standing{shard: 7, turn: 3, left: 10, pin: "p", batch: leastAsked}
		s.held[7] = h
		before := *h
		lost := status("409", "Leadership Change")
		for _, subject := range []string{"", "in.", "in.07", "in.07.", "in.07.2", "in.07.pin", "in.-1.3", "in.64.3", "in.8.3", "in.x.3", "other.07.3"} {
			lost.Subject = subject
			s.settle(time.Now(), lost)
			require.Equal(t, before, *h, "subject %q", subject)
		}
		lost.Subject = "in.07.3"
		s.settle(time.Now(), lost)
		require.Zero(t, h.left)
		require.ErrorContains(t, h.trouble, "Leadership Change")
	})
}
