package parse_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// Definitions in the documentation that begin with a comment that names a file are
// those that the others name.
func TestTheDefinitionsOfTheDocumentationHaveNoFault(t *testing.T) {
	pages, err := filepath.Glob("../../../docs/*.md")
	require.NoError(t, err)
	blocks := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		named := map[string]string{}
		var all []string
		for _, block := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
			first, _, _ := strings.Cut(block[1], "\n")
			if file, ok := strings.CutPrefix(first, "# "); ok && strings.HasSuffix(file, ".yaml") {
				named[file] = block[1]
			}
			if strings.Contains(block[1], "deed: v1") {
				all = append(all, block[1])
			}
		}
		for _, text := range all {
			src, faults := parse.Texts(filepath.Base(page), []byte(text), named)
			assert.Empty(t, append(faults, definition.Check(src)...), text)
			blocks++
		}
	}
	require.Greater(t, blocks, 15)
}
