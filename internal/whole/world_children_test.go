package whole_test

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// nested adds up numbers, each in a process of its own, so deep.
func nested(depth int) definition.Definition {
	def, faults := definition.Resolve(additions, nil, nil, nil)
	if len(faults) > 0 {
		panic(faults)
	}
	for range depth {
		child := def
		retry := definition.Retry{Attempts: 50, Backoff: definition.Backoff{Min: task.Duration(1e9), Max: task.Duration(2e9)}}
		numbers := definition.Binding{Local: "numbers", Data: "numbers"}
		def = definition.Definition{
			Name: "nested", Inputs: []string{"numbers"}, Outputs: []string{"total"},
			Steps: []definition.Step{
				{
					Address: "each", Process: &child, Each: &definition.Each{Binding: numbers},
					Out: definition.Outputs(definition.Binding{Local: "total", Data: "totals"}), Retry: retry,
				},
				{
					Address: "total", Run: task.Run{Handler: "total"}, In: []definition.Binding{{Local: "sums", Data: "totals"}},
					Out: definition.Outputs(definition.Binding{Local: "total", Data: "total"}), Retry: retry,
				},
			},
		}
	}
	return def
}

// descendants lists the processes below one.
func (w *world) descendants(id string) []string {
	return must(orchestrator.IDs(w.ctx, w.store, id+"-"))
}

// anyOf is a process or one below it.
func (w *world) anyOf(id string) string {
	all := append([]string{id}, w.descendants(id)...)
	return all[w.random.IntN(len(all))]
}

// checkFamily holds the histories of a process and of all below it against the
// rules: each is sound, none goes on whose parent has ended, and the end is right.
func (w *world) checkFamily(id string, numbers []int) error {
	for _, child := range w.descendants(id) {
		if _, err := w.checkHistory(child); err != nil {
			return fmt.Errorf("process %s: %w\n%s", child, err, strings.Join(w.history(child), "\n"))
		}
	}
	state, err := w.checkHistory(id)
	if err != nil || state.Status == process.Cancelled {
		return err
	}
	if state.Status == process.Failed {
		reason := state.Reason()
		if strings.Contains(reason, "lost with its worker") || strings.Contains(reason, "cancelled by ada") {
			return nil
		}
		return fmt.Errorf("it failed: %s", reason)
	}
	want := 0
	for _, n := range numbers {
		want += n
	}
	return w.checkTotal(state, want)
}

func (w *world) checkTotal(state process.State, want int) error {
	total, _ := state.Data("total")
	if len(total.Parts) != 1 {
		return fmt.Errorf("it has %d totals", len(total.Parts))
	}
	in, err := w.blobs.OpenPart(w.ctx, total.Parts[0])
	if err != nil {
		return err
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	if err != nil || string(text) != fmt.Sprint(want) {
		return fmt.Errorf("its total is %s, not %d %w", text, want, err)
	}
	return nil
}

// families are the processes, and all below them.
func (w *world) families(ids ...string) []string {
	var all []string
	for _, id := range ids {
		all = append(append(all, id), w.descendants(id)...)
	}
	slices.Sort(all)
	return all
}
