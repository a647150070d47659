package specs

import (
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
)

// phases are those of the asked steps as they are.
func phases(s process.State, asked map[string]string) map[string]string {
	are := make(map[string]string, len(asked))
	for address := range asked {
		are[address] = "no step of this process"
	}
	for _, step := range s.Steps() {
		if _, ok := asked[step.Address]; ok {
			if are[step.Address] = step.Phase; step.Unmet != "" {
				are[step.Address] = "skipped"
			}
		}
	}
	return are
}

func scheduled(events []process.Event) []Tasks {
	var all []Tasks
	for _, e := range events {
		if e, ok := e.(process.TasksScheduled); ok {
			all = append(all, Tasks{e.Address, e.Tasks})
		}
	}
	return all
}

func retries(s process.State, now time.Time) []Waiting {
	var all []Waiting
	for _, effect := range s.Outstanding() {
		if timer, ok := effect.(process.SetTimer); ok {
			all = append(all, Waiting{Tasks{timer.Address, timer.Tasks}, max(0, timer.Due.Sub(now))})
		}
	}
	return all
}

func skipped(s process.State) []Tasks {
	var all []Tasks
	for _, step := range s.Steps() {
		for _, skip := range step.Skips {
			all = append(all, Tasks{step.Address, skip.Tasks})
		}
	}
	return all
}

// dataSealed says of the asked names what they hold.
func dataSealed(s process.State, asked map[string]Parts) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		data, ok := s.Data(name)
		if !ok {
			all = append(all, name+" is not sealed")
			continue
		}
		has := Parts{Count: data.Count}
		switch want := asked[name]; {
		case want.Keys == nil:
		case data.Manifest != nil && data.Count == want.Count && data.Keys == len(want.Keys):
			has = want // merged on a worker: the core knows no more of it than that
		default:
			has.Keys = map[string]int{}
			for _, part := range data.Parts {
				has.Keys[part.Key]++
			}
		}
		all = append(all, name+" has "+has.String())
	}
	return all
}
