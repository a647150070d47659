package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
)

func TestTheHelpOfSetNamesEverySettingThatThereIs(t *testing.T) {
	told := strings.Join(strings.Fields((&app{}).set().Long), " ")
	told, _, _ = strings.Cut(told, "They hold at once")
	ofSteps, ofProcess, split := strings.Cut(told, "without an address,")
	require.True(t, split)

	_, err := definition.Set(definition.Definition{Steps: []definition.Step{{Address: "count"}}}, "count.nix", "1")
	require.Error(t, err)
	_, known, listed := strings.Cut(err.Error(), "there are ")
	require.True(t, listed, "%v", err)
	steps, process, split := strings.Cut(known, ", and without an address ")
	require.True(t, split, "%v", err)
	for _, name := range strings.Split(steps, ", ") {
		require.Contains(t, ofSteps, name)
	}
	for _, name := range strings.Split(process, ", ") {
		require.Contains(t, ofProcess, name)
	}
}
