package backtest

// Error is how far a model was off in all, over the days that chose it.
type Error struct {
	Model string
	Sum   int // of the absolute errors
}

// Choose takes the model with the smallest error, of several such the first:
// models are named with the simplest first.
func Choose(validation []Error) string {
	best := validation[0]
	for _, e := range validation[1:] {
		if e.Sum < best.Sum {
			best = e
		}
	}
	return best.Model
}
