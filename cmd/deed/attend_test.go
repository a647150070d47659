package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
)

func TestWhatGoesOnIsNamedByItsRoots(t *testing.T) {
	long := "a-long-name-for-a-process-of-which-the-ids-of-children-have-only-a"
	ids := []string{"sad", long}
	for _, root := range []string{"sad", "own", long} {
		for i := range 100 {
			ids = append(ids, process.ChildID(process.Parent{Process: root, Address: "each", Index: i, Attempt: 1, Root: root}))
		}
	}
	orphan := process.ChildID(process.Parent{Process: "gone", Address: "each", Attempt: 1, Root: "gone"})
	require.Equal(t, "sad, "+long+", "+orphan, rootsAmong(append(ids, "own", orphan), "own"))

	ids = nil
	for i := range 25 {
		ids = append(ids, fmt.Sprintf("p%02d", i))
	}
	require.Equal(t, "p00, p01, p02, p03, p04, p05, p06, p07, p08, p09 and 15 more", rootsAmong(ids, ""))
	require.Empty(t, rootsAmong([]string{"own"}, "own"))
}
