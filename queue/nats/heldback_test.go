package nats

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

func acked(sequences ...uint64) (all []queue.Delivery) {
	for _, n := range sequences {
		all = append(all, queue.Delivery{Token: token{sequence: n}})
	}
	return all
}

func TestOfAcknowledgementsThatOfTheNewestMessageIsKeptBackUntilOneOfANewerFollows(t *testing.T) {
	var b heldBack
	for _, step := range []struct {
		acks, now []queue.Delivery
		kept      uint64
	}{
		{acked(1), acked(), 1},
		{acked(2, 5, 3), acked(1, 2, 3), 5},
		{acked(4), acked(4), 5},
		{acked(5), acked(), 5}, // a repeat
		{acked(6, 7), acked(5, 6), 7},
	} {
		now, newest := b.swap(step.acks)
		require.ElementsMatch(t, step.now, now)
		require.Equal(t, step.kept, newest.Token.(token).sequence)
		b.held = newest
	}
}
