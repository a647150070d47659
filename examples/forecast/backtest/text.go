package backtest

import (
	"fmt"
	"strings"
)

// String is the summary as people read it in a terminal.
func (s Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d airports, %s to %s; forecasts of %d days\n", s.Airports, s.First, s.Last, s.Plan.Horizon)
	fmt.Fprintf(&b, "models chosen by %d forecasts from %s to %s\n", len(s.Validated), s.Validated[0], s.Validated[len(s.Validated)-1])
	fmt.Fprintf(&b, "and tested by %d later ones from %s to %s\n\n", len(s.Tested), s.Tested[0], s.Tested[len(s.Tested)-1])

	fmt.Fprintf(&b, "%-9s  %8s  %15s  %9s  %9s\n", "model", "airports", "validation WAPE", "test WAPE", "test MASE")
	for _, t := range s.Totals {
		validation := fmt.Sprintf("%.2f%%", 100*t.Validation)
		if t.Name == Hindsight {
			validation = "" // it looked at the test
		}
		fmt.Fprintf(&b, "%-9s  %8d  %15s  %8.2f%%  %9.3f\n", t.Name, t.Airports, validation, 100*t.Test, t.MASE)
	}

	naive, chosen := s.Total(Baseline), s.Total(Chosen)
	fmt.Fprintf(&b, "\nchosen against %s: error %.1f%% %s (WAPE), %.1f%% %s (MASE)\n", Baseline,
		100*abs(s.Improvement()), lower(s.Improvement()), 100*abs(1-ratio(chosen.MASE, naive.MASE)), lower(1-ratio(chosen.MASE, naive.MASE)))
	fmt.Fprintf(&b, "better at %d airports, equal at %d, worse at %d (sign test p = %.2g, signed-rank z = %.2f)\n",
		s.Against.Better, s.Against.Equal, s.Against.Worse, s.Against.Sign, s.Against.Wilcoxon)
	for _, w := range s.Weeks {
		fmt.Fprintf(&b, "from %s: WAPE %.2f%% instead of %.2f%%; better at %d, worse at %d\n", w.Origin, 100*w.Chosen, 100*w.Baseline, w.Better, w.Worse)
	}
	return b.String()
}

func abs(share float64) float64 { return max(share, -share) }

func lower(share float64) string {
	if share < 0 {
		return "higher"
	}
	return "lower"
}
