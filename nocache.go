package deed

import (
	"slices"

	"github.com/deedrun/deed/orchestrator/definition"
)

// refreshed is the definition of a process that executes all of its tasks and
// those of its children, and replaces what earlier ones left.
func refreshed(def definition.Definition) definition.Definition {
	def.Steps = slices.Clone(def.Steps)
	for i := range def.Steps {
		step := &def.Steps[i]
		if step.Cache == definition.CacheUse {
			step.Cache = definition.CacheRefresh
		}
		if step.Process != nil {
			child := refreshed(*step.Process)
			step.Process = &child
		}
	}
	return def
}
