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
		acks []queue.Delivery
		kept uint64
	}{
		{acked(1), 1},
		{acked(2, 5, 3), 5},
		{acked(4), 5},
		{acked(5), 5}, // a repeat
		{acked(6, 7), 7},
	} {
		b.held = b.newest(step.acks)
		require.Equal(t, step.kept, b.held.Token.(token).sequence)
	}
}
