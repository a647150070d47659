package backtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/examples/forecast/models"
)

func TestTheTestEndsWithTheDataAndTheValidationBeforeTheTest(t *testing.T) {
	origins, err := Plan{Horizon: 14, Validation: 3, Test: 2}.Origins(181)
	require.NoError(t, err)
	assert.Equal(t, Origins{Validation: []int{132, 139, 146}, Test: []int{160, 167}, Now: 181}, origins)
	for horizon := 1; horizon < 30; horizon++ {
		for validation := 1; validation < 5; validation++ {
			for test := 1; test < 5; test++ {
				o, err := Plan{horizon, validation, test}.Origins(181)
				require.NoError(t, err)
				require.Len(t, o.All(), validation+test+1)
				require.GreaterOrEqual(t, o.Validation[0], models.MinHistory)
				require.Equal(t, o.Test[0], o.Validation[validation-1]+horizon, "the last day of the validation is that before the test")
				require.Equal(t, 181, o.Test[test-1]+horizon)
			}
		}
	}
}

func TestAPlanThatDoesNotFitSaysWhatToAskForLess(t *testing.T) {
	_, err := Plan{Horizon: 14, Validation: 8, Test: 4}.Origins(153)
	assert.ErrorContains(t, err, "153 days are too few: the first forecast needs 56 before it, and would have 55; ask for less by the parameters horizon (14)")
	_, err = Plan{Horizon: 14, Validation: 8, Test: 4}.Origins(154)
	require.NoError(t, err)
	for name, plan := range map[string]Plan{
		"horizon is 0":     {0, 1, 1},
		"horizon is 367":   {367, 1, 1},
		"validation is -1": {1, -1, 1},
		"test is 1001":     {1, 1, 1001},
	} {
		_, err := plan.Origins(1000)
		assert.ErrorContains(t, err, "the parameter "+name)
	}
}
