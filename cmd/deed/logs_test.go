package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestALineIsToldOnceAlsoWhenTheStoreIsOpenedAnew(t *testing.T) {
	store, err := blob.Open(t.Context(), "mem://")
	require.NoError(t, err)
	defer store.Close()
	state := firstBThenA(t)
	write := func(address string, attempt int) *blob.LogWriter {
		name := blob.LogName{Attempt: task.Attempt{Process: "p", Address: address, Attempt: attempt}, Nonce: "n"}
		return store.CreateLog(t.Context(), name, blob.LogOptions{})
	}
	var out bytes.Buffer
	teller := &logTeller{app: &app{stdout: &out}, options: logsOptions{index: -1, follow: true}, told: map[blob.LogName]*toldLog{}}
	tell := func() string {
		out.Reset()
		require.NoError(t, teller.tell(t.Context()))
		return out.String()
	}
	teller.at(store, state)
	require.Empty(t, tell())
	late := write("b", 1)
	late.Write(blob.LogOut, []byte("first\n"))
	require.NoError(t, late.Close(t.Context()))
	require.Equal(t, "b[0]#1 first\n", tell())
	require.Empty(t, tell())

	teller.at(store, state)
	require.Empty(t, tell(), "what was told is not told again")
	again := write("a", 2)
	again.Write(blob.LogErr, []byte("second\x1b[2J\n"))
	require.NoError(t, again.Close(t.Context()))
	require.Equal(t, "a[0]#2 second [2J\n", tell())
}

func TestLogsComeInTheOrderOfTheSteps(t *testing.T) {
	store, err := blob.Open(t.Context(), "mem://")
	require.NoError(t, err)
	defer store.Close()
	for _, address := range []string{"b", "a"} {
		w := store.CreateLog(t.Context(), blob.LogName{Attempt: task.Attempt{Process: "p", Address: address, Attempt: 1}, Nonce: "n"}, blob.LogOptions{})
		w.Write(blob.LogOut, []byte(address+"\n"))
		require.NoError(t, w.Close(t.Context()))
	}
	var out bytes.Buffer
	teller := &logTeller{app: &app{stdout: &out}, options: logsOptions{index: -1}, told: map[blob.LogName]*toldLog{}}
	teller.at(store, firstBThenA(t))
	require.NoError(t, teller.tell(t.Context()))
	require.Equal(t, "b[0]#1 b\na[0]#1 a\n", out.String())
}

// firstBThenA is a process p whose first step is b, and whose second a.
func firstBThenA(t *testing.T) process.State {
	t.Helper()
	events, err := process.Decide(process.State{}, process.StartProcess{ID: "p", Definition: definition.Definition{
		Name: "p", Steps: []definition.Step{{Address: "b", Run: task.Run{Shell: "true"}}, {Address: "a", Run: task.Run{Shell: "true"}, After: []string{"b"}}},
	}})
	require.NoError(t, err)
	return process.Fold(process.State{}, events...)
}
