package amount_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/amount"
)

func TestANounTakesItsPluralUnlessThereIsOne(t *testing.T) {
	require.Equal(t, "0 tasks", amount.Of(0, "task"))
	require.Equal(t, "1 task", amount.Of(1, "task"))
	require.Equal(t, "66 tasks", amount.Of(66, "task"))
}

func TestASizeIsToldInTheLargestUnitThatItHasOneOf(t *testing.T) {
	for size, said := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 4299162: "4.1 MiB", 156 << 30: "156.0 GiB", math.MaxInt64: "8.0 EiB",
	} {
		require.Equal(t, said, amount.Bytes(size))
	}
}
