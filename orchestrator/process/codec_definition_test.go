package process

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// askedOfWorkers are the ways in which a definition can ask for what older versions of
// deed do not know.
var askedOfWorkers = map[string]func(def *definition.Definition){
	"parallelism of the process": func(def *definition.Definition) { def.Parallelism = 5 },
	"weight":                     func(def *definition.Definition) { def.Weight = 5 },
	"a pool":                     func(def *definition.Definition) { def.Steps[1].Pool = "gpu" },
	"needs":                      func(def *definition.Definition) { def.Steps[1].Needs.CPU = 0.5 },
	"a rate":                     func(def *definition.Definition) { def.Steps[1].Rate = definition.Rate{Count: 1, Per: 1e9} },
	"an environment": func(def *definition.Definition) {
		def.Weight, def.Steps[1].Env = 5, map[string]task.Variable{"TOKEN": {Secret: "pg"}}
	},
}

func TestADefinitionThatAsksForNothingNewIsStoredAsOlderVersionsReadIt(t *testing.T) {
	for _, e := range []Event{ProcessStarted{Definition: fanOut(2)}, ProcessRevised{Definition: fanOut(2)}} {
		s, err := Encode(e)
		require.NoError(t, err)
		require.Equal(t, 1, s.Schema)
		require.NotContains(t, string(s.Data), "weight")
	}
	data, err := EncodeSnapshot(tell(t, fanOut(0), 3).state)
	require.NoError(t, err)
	require.Contains(t, string(data), `"schema":2,`)
}

func TestAnOlderVersionRefusesADefinitionThatItWouldReadHalfOf(t *testing.T) {
	for name, ask := range askedOfWorkers {
		t.Run(name, func(t *testing.T) {
			def := twoSteps()
			ask(&def)
			schema := 2
			if name == "an environment" {
				schema = 3
			}
			older := newCodec()
			older.add(stored[ProcessStarted]("process-started", schema-1, nil))
			older.add(stored[ProcessRevised]("process-revised", schema-1, nil))
			for _, e := range []Event{ProcessStarted{Definition: def}, ProcessRevised{Definition: def}} {
				s, err := Encode(e)
				require.NoError(t, err)
				back, err := Decode(s)
				require.NoError(t, err)
				require.Equal(t, digest(e), digest(back))
				_, err = older.decode(s)
				require.ErrorContains(t, err, fmt.Sprintf(
					"its schema is %d, this version of deed knows up to %d: a newer one wrote it; use that version", schema, schema-1))
			}
			x := tell(t, def, 3)
			data, err := EncodeSnapshot(x.state)
			require.NoError(t, err)
			require.Contains(t, string(data), fmt.Sprintf(`"schema":%d,`, schema+1))
			back, err := DecodeSnapshot(data)
			require.NoError(t, err)
			require.Equal(t, digest(x.state), digest(back))
		})
	}
}

func TestAMessageSaysWhoMayExecuteItWhatItNeedsAndItsEnvironment(t *testing.T) {
	def := twoSteps()
	def.Steps[0].Pool, def.Steps[0].Needs = "gpu", task.Resources{CPU: 2, Memory: 4 << 30, GPU: 1}
	def.Steps[0].Env = map[string]task.Variable{"PGHOST": {Value: "db"}, "PGPASSWORD": {Secret: "pg"}}
	x := tell(t, def, 3)
	w, err := Message(x.state, Enqueue{Address: "work", Attempt: 1}, task.Of(1))
	require.NoError(t, err)
	again, err := MessageAgain(x.state, "work", 1)
	require.NoError(t, err)
	for _, w := range []task.Work{w, again} {
		require.Equal(t, "gpu", w.Pool)
		require.Equal(t, def.Steps[0].Needs, w.Needs)
		require.Equal(t, def.Steps[0].Env, w.Env)
	}
}
