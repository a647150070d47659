package cached

import (
	"context"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// taskInput is what an input gives to a task.
type taskInput struct {
	local  string
	digest string
	count  int
	first  string // what people call the first part
	list   func() iter.Seq2[task.Part, error]
}

// taskInput reads what input i of a message for one task gives to that.
func (r reader) taskInput(ctx context.Context, s *process.State, w *task.Work, i int) (taskInput, error) {
	in := &w.Inputs[i]
	t := taskInput{local: in.Local, list: func() iter.Seq2[task.Part, error] { return r.partsOf(ctx, w, i) }}
	digest := task.NewDigest()
	for p, err := range t.list() {
		if err != nil {
			return t, fmt.Errorf("read what %s[%d] of %s reads as %q: %w", w.Address, w.Tasks[0].First, s.ID, in.Local, err)
		}
		if t.count == 0 {
			t.first = partName(p, in.Mode)
		}
		t.count++
		digest.Add(p)
	}
	t.digest = in.Keyed(0, digest.Sum())
	if in.Manifest != nil && in.Mode == task.Whole && in.Digest != "" {
		t.digest = in.Digest
	}
	return t, nil
}

// partName is what people call a part, or, where a task reads all of a key, the key.
func partName(p task.Part, mode task.Mode) string {
	if mode == task.Group {
		return p.Key
	}
	return path.Join(p.Key, p.Name)
}

// partsOf yields what input i of a message for one task gives to that.
func (r reader) partsOf(ctx context.Context, w *task.Work, i int) iter.Seq2[task.Part, error] {
	in := &w.Inputs[i]
	if in.Manifest == nil {
		return func(yield func(task.Part, error) bool) {
			for _, list := range in.Lists {
				for _, p := range list {
					if !yield(p, nil) {
						return
					}
				}
			}
		}
	}
	wrong := func(err error) iter.Seq2[task.Part, error] {
		return func(yield func(task.Part, error) bool) { yield(task.Part{}, err) }
	}
	m, err := r.Blobs.OpenManifest(ctx, *in.Manifest)
	if err != nil {
		return wrong(err)
	}
	index := w.Tasks[0].First
	switch {
	case in.Mode == task.Whole:
		return m.All(ctx)
	case len(in.Keys) > 0:
		return m.Of(ctx, in.Keys[0])
	case in.Mode == task.Group && in.Into > 0:
		return m.Bucket(ctx, index, in.Into)
	case in.Mode == task.Group:
		return m.Group(ctx, index)
	}
	p, err := m.Part(ctx, index)
	if err != nil {
		return wrong(err)
	}
	return func(yield func(task.Part, error) bool) { yield(p, nil) }
}

// sameElement is the index of the task of another process that is about what this
// one is about; where that is none, its own index.
func (r reader) sameElement(ctx context.Context, s *process.State, t *Task) (int, error) {
	step, ok := s.Step(t.Address)
	if !ok || step.Each == nil || len(step.Each.With) > 0 || step.Each.Into > 0 || t.Element == "" {
		return t.Index, nil
	}
	data, _ := s.Data(step.Each.Data)
	parts := func(yield func(task.Part, error) bool) {
		for _, p := range data.Parts {
			if !yield(p, nil) {
				return
			}
		}
	}
	if data.Manifest != nil {
		m, err := r.Blobs.OpenManifest(ctx, *data.Manifest)
		if err != nil {
			return 0, err
		}
		parts = m.All(ctx)
	}
	mode := t.work.Inputs[0].Mode
	index, last := -1, ""
	for p, err := range parts {
		if err != nil {
			return 0, err
		}
		if mode == task.Element || index < 0 || p.Key != last {
			index, last = index+1, p.Key
		}
		if partName(p, mode) == t.Element {
			return index, nil
		}
	}
	return t.Index, nil
}

// compare tells the ingredients that differ from those that do not.
func (r reader) compare(ctx context.Context, e *Explanation) error {
	mine, theirs := byName(e.Task.Ingredients), byName(e.Other.Ingredients)
	names := []string{}
	for _, i := range slices.Concat(e.Task.Ingredients, e.Other.Ingredients) {
		if !slices.Contains(names, i.Name) {
			names = append(names, i.Name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		a, has := mine[name]
		b, had := theirs[name]
		switch {
		case has && had && a == b && a != unknownVersion:
			e.Same = append(e.Same, name)
			continue
		case name == "version" && (a == unknownVersion || b == unknownVersion):
			e.Differs = append(e.Differs, Difference{name, "it is not known any more which version of the handler ran"})
			continue
		case strings.HasPrefix(name, "input ") && has && had:
			what, err := inputDiffers(e, strings.TrimPrefix(name, "input "))
			if err != nil {
				return err
			}
			e.Differs = append(e.Differs, Difference{name, what})
			continue
		}
		what := fmt.Sprintf("%s instead of %s", a, b)
		switch {
		case !had:
			what = "is new"
		case !has:
			what = "is there no more"
		case strings.HasPrefix(name, "file "), strings.HasPrefix(a, "sha256 "):
			what = "has other content"
		case a == "" || b == "":
			what = fmt.Sprintf("%q instead of %q", a, b)
		}
		e.Differs = append(e.Differs, Difference{name, what})
	}
	return ctx.Err()
}

func byName(all []task.Ingredient) map[string]string {
	m := make(map[string]string, len(all))
	for _, i := range all {
		m[i.Name] = i.Value
	}
	return m
}

// comparedParts bounds the lists of which it is said what differs in them.
const comparedParts = 100_000

// inputDiffers says in words how what two tasks read differs.
func inputDiffers(e *Explanation, local string) (string, error) {
	find := func(t *Task) taskInput {
		return t.inputs[slices.IndexFunc(t.inputs, func(in taskInput) bool { return in.local == local })]
	}
	mine, theirs := find(&e.Task), find(e.Other)
	if mine.count > comparedParts || theirs.count > comparedParts {
		return fmt.Sprintf("%d parts instead of %d, with other content", mine.count, theirs.count), nil
	}
	before := map[string][]string{}
	for p, err := range theirs.list() {
		if err != nil {
			return "", err
		}
		name := path.Join(p.Key, p.Name)
		before[name] = append(before[name], contentOf(p))
	}
	var changed, added []string
	for p, err := range mine.list() {
		if err != nil {
			return "", err
		}
		name := path.Join(p.Key, p.Name)
		contents := before[name]
		switch i := slices.Index(contents, contentOf(p)); {
		case i >= 0:
			before[name] = slices.Delete(slices.Clone(contents), i, i+1)
		case len(contents) > 0:
			before[name], changed = contents[1:], append(changed, name)
		default:
			added = append(added, name)
		}
	}
	var gone []string
	for name, contents := range before {
		for range contents {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	return changes(mine.count, changed, added, gone), nil
}

// changes says what became of the parts of an input.
func changes(count int, changed, added, gone []string) string {
	var what []string
	for _, of := range []struct {
		names []string
		verb  string
	}{{changed, "changed"}, {added, "new"}, {gone, "gone"}} {
		if n := len(of.names); n > 0 {
			what = append(what, fmt.Sprintf("%d %s: %s", n, of.verb, someNames(of.names)))
		}
	}
	switch {
	case len(what) == 0:
		return fmt.Sprintf("the same parts, of which there are %d, seen in another way or order", count)
	case count == 1 && len(changed) == 1 && len(gone) == 0:
		return someNames(changed) + " has other content"
	case count == 1 && len(added) == 1 && len(gone) == 1:
		return someNames(added) + " instead of " + someNames(gone)
	}
	return fmt.Sprintf("of %d parts %s", count, strings.Join(what, "; "))
}

func contentOf(p task.Part) string {
	if p.Ref != nil {
		return p.Ref.Content()
	}
	return string(p.Value)
}

// someNames is the first few of some names.
func someNames(names []string) string {
	const most = 3
	for i, name := range names {
		if name == "" {
			names[i] = "one without a name"
		}
	}
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
