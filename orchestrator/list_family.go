package orchestrator

import (
	"fmt"
	"maps"
	"strings"

	"github.com/deedrun/deed/orchestrator/process"
)

// Filter chooses among processes. The zero Filter chooses all.
type Filter struct {
	Status string
	Name   string // of the definition
	Prefix string // of the ID
	Roots  bool   // only those that are no children of others
	Parent string // only the children of this process
	Family string // only this process, and those below it
}

// Of is the processes that the filter chooses, of all that there are.
func (f Filter) Of(all []Summary) []Summary {
	parents := map[string]string{}
	if f.Family != "" {
		for _, p := range all {
			parents[p.ID] = p.Parent
		}
	}
	var some []Summary
	for _, p := range all {
		if f.takes(p) && (f.Family == "" || isBelow(parents, p.ID, f.Family)) {
			some = append(some, p)
		}
	}
	return some
}

func (f Filter) takes(p Summary) bool {
	return (f.Status == "" || string(p.Status) == f.Status) && (f.Name == "" || p.Name == f.Name) && strings.HasPrefix(p.ID, f.Prefix) &&
		(!f.Roots || p.Parent == "") && (f.Parent == "" || p.Parent == f.Parent)
}

// deepest is how many processes are looked at above one: a damaged history may
// name whatever it likes.
const deepest = 100

func isBelow(parents map[string]string, id, top string) bool {
	for range deepest {
		if id == top {
			return true
		}
		if id = parents[id]; id == "" {
			return false
		}
	}
	return false
}

// countChildren says of each process how those below it stand.
func countChildren(all []Summary) {
	byID := make(map[string]*Summary, len(all))
	for i := range all {
		byID[all[i].ID] = &all[i]
	}
	for _, p := range all {
		above := byID[p.Parent]
		for depth := 0; above != nil && depth < deepest; depth++ {
			if above.Children == nil {
				above.Children = map[process.Status]int{}
			}
			above.Children[p.Status]++
			above = byID[above.Parent]
		}
	}
}

// Below is how many processes there are below this one.
func (s Summary) Below() (n int) {
	for count := range maps.Values(s.Children) {
		n += count
	}
	return n
}

// taskOf is which task of its parent a child is: "album[3]".
func taskOf(p process.Parent) string {
	again, attempt := "", ""
	if p.Generation > 0 {
		again = fmt.Sprintf("~%d", p.Generation)
	}
	if p.Attempt > 1 {
		attempt = fmt.Sprintf(" attempt %d", p.Attempt)
	}
	return fmt.Sprintf("%s%s[%d]%s", p.Address, again, p.Index, attempt)
}
