package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGarbageTakesAMultipleOfLittleMemoryAndAsMuchAgainAsOfMuch(t *testing.T) {
	for live, percent := range map[uint64]int{0: 400, 10 << 20: 400, 32 << 20: 400, 64 << 20: 200, 128 << 20: 100, 8 << 30: 100} {
		require.Equal(t, percent, garbagePercent(live), "%d MiB", live>>20)
	}
}
