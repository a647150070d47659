package backtest

import (
	"fmt"

	"github.com/deedrun/deed/examples/forecast/models"
)

// Plan says how far forecasts reach, and from how many origins the models are
// validated and tested.
type Plan struct {
	Horizon, Validation, Test int
}

// Origins are the days from which forecasts are made, each as the number of
// days that are known by then, in order of time.
type Origins struct {
	Validation, Test []int
	Now              int // all days are known: the forecast that people wait for
}

// All are those of the validation, of the test, and now.
func (o Origins) All() []int {
	all := append(append(make([]int, 0, len(o.Validation)+len(o.Test)+1), o.Validation...), o.Test...)
	return append(all, o.Now)
}

// Origins places a plan on so many days. The last forecast of the test ends
// with them; the last one of the validation ends where the test begins.
func (p Plan) Origins(days int) (Origins, error) {
	for _, given := range []struct {
		name        string
		value, most int
	}{{"horizon", p.Horizon, 366}, {"validation", p.Validation, 1000}, {"test", p.Test, 1000}} {
		if given.value < 1 || given.value > given.most {
			return Origins{}, malformed(fmt.Sprintf("the parameter %s is %d: give a number from 1 to %d", given.name, given.value, given.most))
		}
	}
	test := days - p.Horizon - (p.Test-1)*models.Week
	validation := test - p.Horizon - (p.Validation-1)*models.Week
	if validation < models.MinHistory {
		return Origins{}, malformed(fmt.Sprintf("%d days are too few: the first forecast needs %d before it, and would have %d; ask for less by the parameters horizon (%d), validation (%d) or test (%d)",
			days, models.MinHistory, max(0, validation), p.Horizon, p.Validation, p.Test))
	}
	o := Origins{Now: days}
	for i := range p.Validation {
		o.Validation = append(o.Validation, validation+i*models.Week)
	}
	for i := range p.Test {
		o.Test = append(o.Test, test+i*models.Week)
	}
	return o, nil
}
