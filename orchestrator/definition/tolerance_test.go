package definition_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
)

func TestAToleranceIsANumberAShareOrAll(t *testing.T) {
	for _, tc := range []struct {
		text      string
		tasks, of int
	}{
		{"0", 10, 0},
		{"3", 10, 3},
		{"30", 10, 10},
		{"99999999999999999999", 10, 10},
		{"all", 10, 10},
		{"all", 0, 0},
		{"1%", 99, 0},
		{"1%", 100, 1},
		{"1%", 199, 1},
		{"50%", 3, 1},
		{"100%", 7, 7},
		{"0.57%", 10_000, 57}, // and no hair less, as floating numbers would have it
		{"0.29%", 100_000_000, 290_000},
		{"0.000001%", 100_000_000, 1},
	} {
		tolerance, err := definition.ParseTolerance(tc.text)
		require.NoError(t, err, tc.text)
		assert.Equal(t, tc.of, tolerance.Of(tc.tasks), "%s of %d", tc.text, tc.tasks)
	}
}

func TestAToleranceIsWrittenAsItIsRead(t *testing.T) {
	for _, text := range []string{"0", "5", "1%", "0.5%", "100%", "all", "-1", "-2%"} {
		tolerance, err := definition.ParseTolerance(text)
		require.NoError(t, err)
		assert.Equal(t, text, tolerance.String())
	}
	for _, text := range []string{"", "%", "some", "0.5", "5 tasks", "1 %", "all%", "All"} {
		_, err := definition.ParseTolerance(text)
		assert.ErrorContains(t, err, "is no tolerance: write a number of tasks, a share like 1%, or all", text)
	}
}
