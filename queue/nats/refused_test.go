package nats_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

// answering is an outlet to somebody who answers as a stream does, or does not: what
// to the n-th message of a body is for answer to say.
func answering(t *testing.T, answer func(body string, n int) string) (to queue.Sender, got func() map[string]int) {
	b := startBackend(t)
	var mu sync.Mutex
	came := map[string]int{}
	nc := b.connect(t)
	_, err := nc.Subscribe("deed.queue.fake.>", func(m *natsgo.Msg) {
		mu.Lock()
		came[string(m.Data)]++
		n := came[string(m.Data)]
		mu.Unlock()
		_ = m.Respond([]byte(answer(string(m.Data), n)))
	})
	require.NoError(t, err)
	require.NoError(t, nc.Flush())
	to, err = nats.OpenOutlet(b.connect(t), nats.Options{Name: "fake"})
	require.NoError(t, err)
	return to, func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return came
	}
}

const (
	taken      = `{"stream":"deed-fake", "seq":7}`
	overloaded = `{"error":{"code":429,"err_code":10167,"description":"too many requests"},"stream":"deed-fake","seq":0}`
	full       = `{"error":{"code":400,"err_code":10077,"description":"maximum messages exceeded"},"stream":"deed-fake","seq":0}`
)

func numbered(n int) (all []queue.Message) {
	for i := range n {
		all = append(all, queue.Message{Key: "k", Body: fmt.Appendf(nil, "%d", i)})
	}
	return all
}

func TestWhatAServerThatIsOverloadedRefusedIsSentAgainIfNothingOfItIsStored(t *testing.T) {
	t.Parallel()
	over := false // the load, once something comes for the second time
	to, came := answering(t, func(_ string, n int) string {
		if over = over || n == 2; over {
			return taken
		}
		return overloaded
	})
	require.NoError(t, to.Send(t.Context(), numbered(20)...))
	times := came()
	require.Len(t, times, 20)
	require.Equal(t, 2, times["0"])
	for body, n := range times { // a refusal may have been read before all of them were sent
		require.LessOrEqual(t, n, 2, body)
	}
}

func TestIfAServerAloneTookSomeOfASendAndRefusedOthersTheCallerIsTold(t *testing.T) {
	t.Parallel()
	to, came := answering(t, func(body string, _ int) string {
		if body == "3" {
			return overloaded
		}
		return taken
	})
	began := time.Now()
	err := to.Send(t.Context(), numbered(20)...)
	require.ErrorIs(t, err, queue.ErrUnavailable)
	require.Regexp(t, `\d+ of 20 messages are stored, and which ones is not known`, err.Error()) // those sent before the refusal was read
	require.Less(t, time.Since(began), 2*time.Second)
	for body, n := range came() {
		require.Equal(t, 1, n, body)
	}
}

func TestOneRefusalForGoodEndsASend(t *testing.T) {
	t.Parallel()
	to, _ := answering(t, func(body string, _ int) string {
		if body == "3" {
			return full
		}
		return taken
	})
	err := to.Send(t.Context(), numbered(20)...)
	require.ErrorContains(t, err, "message 4 of 20")
	require.ErrorContains(t, err, "maximum messages exceeded")
	require.NotErrorIs(t, err, queue.ErrUnavailable)
	require.NoError(t, to.Send(t.Context(), queue.Message{Key: "k", Body: []byte("x")}), "answers that come late are nobody else's")
}
