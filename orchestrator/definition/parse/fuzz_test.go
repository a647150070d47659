package parse_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
	"github.com/deedrun/deed/task"
)

// FuzzParse feeds any bytes: they are refused with places inside the document,
// or they resolve to a definition whose names all lead somewhere.
func FuzzParse(f *testing.F) {
	for _, folder := range []string{"good", "broken"} {
		paths, err := os.ReadDir("../testdata/" + folder)
		require.NoError(f, err)
		for _, p := range paths {
			if p.IsDir() {
				continue
			}
			data, err := os.ReadFile("../testdata/" + folder + "/" + p.Name())
			require.NoError(f, err)
			f.Add("x.yaml", data)
			f.Add("x.json", data)
		}
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		src, faults := parse.Bytes(name, data)
		require.NotNil(t, src)
		faults = append(faults, definition.Check(src)...)
		for _, fault := range faults {
			require.NotEmpty(t, fault.Code)
			require.NotEmpty(t, fault.Message)
			require.Positive(t, fault.Line, fault.String())
			require.Positive(t, fault.Column, fault.String())
		}
		d, refused := definition.Resolve(src, nil, nil, nil)
		if len(faults) > 0 || len(refused) > 0 {
			return
		}
		requireWired(t, d)
		require.Empty(t, definition.Diff(d, d))
		require.Len(t, d.Hash(), 64)
	})
}

// requireWired makes sure that names lead somewhere, and that children are given
// what they ask for.
func requireWired(t *testing.T, d definition.Definition) {
	known := slices.Clone(d.Inputs)
	for _, s := range d.Steps {
		for _, out := range s.Out {
			known = append(known, out.Data)
		}
	}
	for _, s := range d.Steps {
		for _, read := range s.Reads() {
			require.Contains(t, known, read, s.Address)
		}
		for _, after := range s.After {
			_, ok := d.Step(after)
			require.True(t, ok, "%s after %q", s.Address, after)
		}
		if s.Process == nil {
			continue
		}
		var given []string
		for _, b := range s.In {
			given = append(given, b.Local)
		}
		if s.Each != nil {
			given = append(given, s.Each.Local)
			for _, b := range s.Each.With {
				given = append(given, b.Local)
			}
		}
		if s.Repeat != nil {
			given = slices.AppendSeq(given, maps.Keys(s.Repeat.Carry))
		}
		require.ElementsMatch(t, s.Process.Inputs, given, s.Address)
		for _, out := range s.Out {
			require.Contains(t, s.Process.Outputs, out.Local, s.Address)
		}
		requireWired(t, *s.Process)
	}
}

// FuzzCondition feeds any text as a condition: it is refused, or what it means is
// the same every time, whatever values there are.
func FuzzCondition(f *testing.F) {
	for _, text := range []string{
		`score >= params.least && kind in ["csv"]`, `not (a-b < 3) || any(list, {# > 1})`, `len(filter(list, .x == "y")) ?? 0`,
		`a < b < c < d`, `kind matches "^[a-z]+$" ? true : about["x"][0] == -1e3`, `((((((((1))))))))`, `map(map(list, #), # + 1)`, "`a` + 'b' contains \"c\"",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := json.Marshal(text)
		require.NoError(t, err)
		src, faults := parse.Bytes("x.json", []byte(`{"deed": "v1", "name": "x", "params": {"least": 1}, "steps": {
			"a": {"run": "x", "out": {"score": {"json": "number"}, "kind": {"json": "string"}, "about": {"json": "object"}, "list": {"json": "array"}}},
			"b": {"run": "x", "in": ["score", "kind", "about", "list"], "out": ["y"], "when": `+string(quoted)+`}}, "outputs": ["y"]}`))
		if len(append(faults, definition.Check(src)...)) > 0 {
			return
		}
		d, refused := definition.Resolve(src, nil, nil, nil)
		require.Empty(t, refused)
		first, err := d.Steps[1].When.Holds(nothing{})
		again, errAgain := d.Steps[1].When.Holds(nothing{})
		require.Equal(t, first, again)
		require.Equal(t, fmt.Sprint(err), fmt.Sprint(errAgain))
	})
}

// nothing is what a condition sees of steps that were skipped.
type nothing struct{}

func (nothing) Value(string) (json.RawMessage, bool) { return nil, false }
func (nothing) Param(string) (json.RawMessage, bool) { return json.RawMessage("1"), true }
func (nothing) Dataset(string) (task.Dataset, bool)  { return task.Dataset{}, false }
