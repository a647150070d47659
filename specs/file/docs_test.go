package file_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/specs/file"
)

func TestWhatTheDocumentationShowsHolds(t *testing.T) {
	page, err := os.ReadFile("../../docs/specs-of-your-own.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	require.Greater(t, len(blocks), 2)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "process.yaml"), blocks[0][1], 0o600))
	path := filepath.Join(dir, "process.spec.yaml")
	for i, block := range blocks[1:] {
		require.NoError(t, os.WriteFile(path, block[1], 0o600))
		file.Test(t, path)
		if i > 0 {
			continue
		}
		f, faults, err := file.Load(path)
		require.NoError(t, err)
		require.Empty(t, faults)
		require.Contains(t, string(page), f.Run()[0].Spec.String(), "the first specification is shown as prose")
	}
}
