package parse_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
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
		plan := d.Plan()
		for _, s := range d.Steps {
			for _, read := range s.Reads() {
				_, written := plan.Writer(read)
				require.True(t, written || plan.IsInput(read), "%s reads %q", s.Address, read)
			}
			for _, after := range s.After {
				_, ok := plan.Step(after)
				require.True(t, ok, "%s after %q", s.Address, after)
			}
		}
		require.Empty(t, definition.Diff(d, d))
		require.Len(t, d.Hash(), 64)
	})
}
