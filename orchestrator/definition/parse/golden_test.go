package parse_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
)

var update = flag.Bool("update", false, "write the golden files anew")

// allFaults is what a person sees of a broken definition: all of it, in order.
func allFaults(t *testing.T, path string) (*definition.Source, []definition.Fault) {
	t.Helper()
	src, faults, err := parse.File(path)
	require.NoError(t, err)
	faults = append(faults, definition.Check(src)...)
	definition.SortFaults(faults)
	return src, faults
}

func definitions(t *testing.T, folder string) []string {
	t.Helper()
	var paths []string
	for _, pattern := range []string{"*.yaml", "*.json"} {
		found, err := filepath.Glob(filepath.Join("..", "testdata", folder, pattern))
		require.NoError(t, err)
		paths = append(paths, found...)
	}
	if folder == "good" {
		examples, err := filepath.Glob("../../../examples/*/*.yaml")
		require.NoError(t, err)
		paths = append(paths, slices.DeleteFunc(examples, func(path string) bool { return strings.HasSuffix(path, ".spec.yaml") })...)
	}
	require.NotEmpty(t, paths)
	return paths
}

func TestBrokenDefinitionsAreRefusedWithTheseLines(t *testing.T) {
	for _, path := range definitions(t, "broken") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			_, faults := allFaults(t, path)
			require.NotEmpty(t, faults, "nothing is wrong with it")
			var b strings.Builder
			for _, f := range faults {
				assert.NotEmpty(t, f.Code)
				f.File = filepath.Base(f.File)
				b.WriteString(f.String() + "\n")
			}
			golden := strings.TrimSuffix(path, filepath.Ext(path)) + ".faults"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), b.String())
		})
	}
}

func TestGoodDefinitionsHaveNoFault(t *testing.T) {
	for _, path := range definitions(t, "good") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			_, faults := allFaults(t, path)
			assert.Empty(t, faults)
		})
	}
}
