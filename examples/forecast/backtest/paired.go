package backtest

import (
	"cmp"
	"math"
	"slices"
)

// Paired compares two models at the same airports: by how many one is better,
// and how surely. Airports share their weather and their days, so they are not
// independent, and both tests are surer than they should be.
type Paired struct {
	Better, Equal, Worse int
	Sign                 float64 // p, two-sided, of the exact sign test
	Wilcoxon             float64 // z of the signed-rank test, with the usual correction for ties
}

// Compare takes the differences, airport by airport; above zero is better.
func Compare(differences []float64) Paired {
	var p Paired
	var unequal []float64
	for _, d := range differences {
		switch {
		case d > 0:
			p.Better++
		case d < 0:
			p.Worse++
		default:
			p.Equal++
			continue
		}
		unequal = append(unequal, d)
	}
	p.Sign = signTest(p.Better, p.Worse)
	p.Wilcoxon = signedRank(unequal)
	return p
}

// signTest is how likely a fair coin is at least as far from half and half.
func signTest(better, worse int) float64 {
	n, tail := better+worse, 0.0
	for k := max(better, worse); k <= n; k++ {
		tail += math.Exp(logFactorial(n) - logFactorial(k) - logFactorial(n-k) - float64(n)*math.Ln2)
	}
	return min(1, 2*tail)
}

func logFactorial(n int) float64 {
	log, _ := math.Lgamma(float64(n + 1))
	return log
}

// signedRank is zero if there is nothing to rank.
func signedRank(differences []float64) float64 {
	sorted := slices.Clone(differences)
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) })
	n, sum, ties := float64(len(sorted)), 0.0, 0.0
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && math.Abs(sorted[j]) == math.Abs(sorted[i]) {
			j++
		}
		rank, equal := float64(i+1+j)/2, float64(j-i) // the mean of the ranks that they share
		for _, d := range sorted[i:j] {
			if d > 0 {
				sum += rank
			}
		}
		ties += equal*equal*equal - equal
		i = j
	}
	if n == 0 {
		return 0
	}
	variance := n*(n+1)*(2*n+1)/24 - ties/48
	return (sum - n*(n+1)/4) / math.Sqrt(variance)
}
