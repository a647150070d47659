package process

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func listOf(n int) task.Dataset {
	parts := make([]task.Part, n)
	for i := range parts {
		parts[i] = task.Part{Key: fmt.Sprintf("k%02d", i%7), Value: json.RawMessage(fmt.Sprint(i))}
	}
	return task.Inline(parts)
}

// stored is a list of n parts that stands in a manifest.
func manifestOf(n int) task.Dataset {
	return task.Dataset{Count: n, Keys: 1, KeyNames: []string{"k"}, Manifest: &task.Manifest{Ref: task.Ref{Key: "m", Size: 1, SHA256: "00"}}}
}

func fanOut(parallelism int) definition.Definition {
	b := func(n string) definition.Binding { return definition.Binding{Local: n, Data: n} }
	return definition.Definition{
		Name: "fan-out", Inputs: []string{"in"}, Outputs: []string{"out"},
		Steps: []definition.Step{{
			Address: "work", Run: task.Run{Handler: "noop"}, Each: &definition.Each{Binding: b("in")},
			Out: definition.Outputs(b("out")), Parallelism: parallelism,
			Retry: definition.Retry{Attempts: 3, Backoff: definition.Backoff{Min: task.Duration(time.Second), Max: task.Duration(time.Minute)}},
		}},
	}
}

func decideAll(t testing.TB, s State, commands ...Command) State {
	t.Helper()
	for _, c := range commands {
		events, err := Decide(s, c)
		require.NoError(t, err)
		s = Fold(s, events...)
		require.NoError(t, s.Damage())
	}
	return s
}
