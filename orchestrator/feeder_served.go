package orchestrator

import (
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
)

// isServed reports whether a worker is there that can execute the tasks of a
// step, as far as is known.
func (f *feeder) isServed(id, address string) bool {
	fd := f.feeds[id]
	if fd == nil || fd.rows[address] == nil || fd.rows[address].pool == nil {
		return false
	}
	r := fd.rows[address]
	return len(r.pool.crew) > 0 && r.isServed()
}

// offers reports whether a handler is among those that a worker lists, or is one
// that every worker has and none lists.
func offers(offered []string, handler string) bool {
	if _, everywhere := definition.Standard(handler); everywhere {
		return true
	}
	return slices.ContainsFunc(offered, func(o string) bool { return o == handler || strings.HasPrefix(o, handler+"@") })
}
