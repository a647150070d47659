package deed

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
)

func TestAJobWithoutCacheExecutesAlsoWhatItsChildrenWouldReuse(t *testing.T) {
	child := definition.Definition{Steps: []definition.Step{{Address: "deep", Cache: definition.CacheUse}}}
	def := definition.Definition{Steps: []definition.Step{{Address: "a", Cache: definition.CacheUse}, {Address: "b"}, {Address: "c", Process: &child}}}
	fresh := refreshed(def)
	require.Equal(t, definition.CacheRefresh, fresh.Steps[0].Cache)
	require.Empty(t, fresh.Steps[1].Cache)
	require.Equal(t, definition.CacheRefresh, fresh.Steps[2].Process.Steps[0].Cache)
	require.Equal(t, definition.CacheUse, def.Steps[0].Cache, "the definition that was given stays as it is")
	require.Equal(t, definition.CacheUse, child.Steps[0].Cache)
}
