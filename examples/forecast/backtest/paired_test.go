package backtest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCompareCountsSignsAndRanks(t *testing.T) {
	t.Run("nine of ten is once in 46 by chance", func(t *testing.T) {
		p := Compare([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, -10, 0, 0})
		assert.Equal(t, 9, p.Better)
		assert.Equal(t, 1, p.Worse)
		assert.Equal(t, 2, p.Equal)
		assert.InDelta(t, 22.0/1024, p.Sign, 1e-12)
		// Ranks 1 to 9 are above zero, 45 of 55; the mean is 27.5, the variance 10·11·21/24.
		assert.InDelta(t, 17.5/math.Sqrt(96.25), p.Wilcoxon, 1e-12)
	})
	t.Run("differences of one size share their ranks", func(t *testing.T) {
		// 1, 1 and −1 have rank 2 each, 5 has rank 4: 8 of 10, the variance 30/4 less (27−3)/48.
		assert.InDelta(t, 3/math.Sqrt(7), Compare([]float64{1, -1, 1, 5}).Wilcoxon, 1e-12)
	})
	t.Run("half and half says nothing", func(t *testing.T) {
		p := Compare([]float64{1, -1})
		assert.InDelta(t, 1, p.Sign, 0)
		assert.Zero(t, p.Wilcoxon)
	})
	t.Run("neither does nothing", func(t *testing.T) {
		assert.Equal(t, Paired{Equal: 1, Sign: 1}, Compare([]float64{0}))
		assert.Equal(t, Paired{Sign: 1}, Compare(nil))
	})
	t.Run("what is worse is below zero", func(t *testing.T) {
		assert.Negative(t, Compare([]float64{-3, -2, 1}).Wilcoxon)
	})
	t.Run("many airports do not overflow", func(t *testing.T) {
		many := make([]float64, 4000)
		for i := range many {
			many[i] = float64(i + 1)
		}
		p := Compare(many)
		assert.Zero(t, p.Sign, "less than any number")
		assert.Greater(t, p.Wilcoxon, 50.0)
	})
}
