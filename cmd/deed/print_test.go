package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAColumnStaysOneWhereCellsAtTheEndAreEmpty(t *testing.T) {
	var said strings.Builder
	a := &app{stdout: &said}
	require.NoError(t, a.table([][]string{{"STEP", "SIZES", "NOTES"}, {"a", "recorded", "skipped"}, {"b", "", ""}, {"c", "x", "if"}}))
	require.Equal(t, "STEP  SIZES     NOTES\na     recorded  skipped\nb\nc     x         if\n", said.String())
}
