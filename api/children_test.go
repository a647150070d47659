package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
)

// family starts a process "greet-1" of the definition "families", which greets
// each name in a child.
func family(t *testing.T, r *rig) {
	t.Helper()
	start, err := r.runtime.Prepare(t.Context(), "greet-1", job(t, hello, "Ann", "Bo"), nil)
	require.NoError(t, err)
	child := start.Definition
	in, out := child.Inputs[0], child.Outputs[0]
	start.Definition = definition.Definition{
		Name: "families", Inputs: []string{in}, Outputs: []string{out},
		Steps: []definition.Step{{
			Address: "each", Process: &child, Each: &definition.Each{Binding: definition.Binding{Local: in, Data: in}},
			Out: definition.Outputs(definition.Binding{Local: out, Data: out}), Retry: definition.Retry{Attempts: 1},
		}},
	}
	_, err = r.runtime.Client.Start(t.Context(), start)
	require.NoError(t, err)
	for s, err := range r.runtime.Follow(t.Context(), "greet-1") {
		require.NoError(t, err)
		if s.Ended() {
			require.Equal(t, process.Completed, s.Status, s.Reason())
		}
	}
}

func (r *rig) listed(f orchestrator.Filter) (ids []string) {
	r.Helper()
	for p, err := range r.client.Processes(r.Context(), f) {
		require.NoError(r, err)
		ids = append(ids, p.ID)
	}
	return ids
}

func TestTheListIsAskedForRootsChildrenAndFamilies(t *testing.T) {
	r := inMemory(t, greeters(nil))
	family(t, r)
	require.Equal(t, []string{"greet-1"}, r.listed(orchestrator.Filter{Roots: true}))
	children := r.listed(orchestrator.Filter{Parent: "greet-1"})
	require.Len(t, children, 2)
	require.Len(t, r.listed(orchestrator.Filter{Family: "greet-1"}), 3)
	require.Equal(t, children[:1], r.listed(orchestrator.Filter{Family: children[0]}))
	for p, err := range r.client.Processes(t.Context(), orchestrator.Filter{Roots: true}) {
		require.NoError(t, err)
		require.Equal(t, map[process.Status]int{process.Completed: 2}, p.Children)
	}
}

func TestChildrenExistForWhomTheirRootExists(t *testing.T) {
	plain := inMemory(t, greeters(nil))
	family(t, plain)
	for _, one := range []struct {
		processes []string
		sees      int
	}{{[]string{"families"}, 3}, {[]string{"fam*"}, 3}, {[]string{"each", "hello"}, 0}} {
		scoped := access.Principal{Name: "ci", Token: "scoped", Role: wire.Viewer, Processes: one.processes}
		r := guarded(t, plain.runtime, &guests{known: map[string]access.Principal{"scoped": scoped}}).as("scoped")
		require.Len(t, r.listed(orchestrator.Filter{}), one.sees, one.processes)
		for _, id := range plain.listed(orchestrator.Filter{}) {
			status := r.do(http.MethodGet, "/v1/processes/"+id, nil).status
			require.Equal(t, map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[one.sees > 0], status, id)
		}
	}
}

func TestNobodyStartsAChildByTheAPI(t *testing.T) {
	r := inMemory(t, greeters(nil))
	start, err := r.runtime.Prepare(t.Context(), "greet-1", job(t, hello, "Ann"), nil)
	require.NoError(t, err)
	p := process.Parent{Process: "other", Address: "each", Attempt: 1, Root: "other"}
	start.Parent, start.ID = &p, process.ChildID(p)
	body, err := process.EncodeCommand(start)
	require.NoError(t, err)
	r.refused(http.StatusBadRequest, wire.CodeInvalid, http.MethodPost, "/v1/processes/"+start.ID+"/commands", json.RawMessage(body))

	asked, err := process.EncodeCommand(process.CancelProcess{Asked: process.Asked{By: "parent other"}})
	require.NoError(t, err)
	r.refused(http.StatusBadRequest, wire.CodeInvalid, http.MethodPost, "/v1/processes/greet-1/commands", json.RawMessage(asked))
}
