package dryrun

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func bind(name string) definition.Binding { return definition.Binding{Local: name, Data: name} }

func step(address, out string) definition.Step {
	return definition.Step{
		Address: address, Run: task.Run{Handler: address}, Out: definition.Outputs(bind(out)), Retry: definition.Retry{Attempts: 1},
	}
}

// words counts each of some texts, merges the counts by key and takes the top.
func words() definition.Definition {
	count, merge, top := step("count", "partial"), step("merge", "totals"), step("top", "counts")
	count.Each = &definition.Each{Binding: bind("in")}
	merge.Each = &definition.Each{Binding: bind("partial"), ByKey: true, Into: 4}
	top.In = []definition.Binding{bind("totals")}
	return definition.Definition{Name: "words", Inputs: []string{"in"}, Outputs: []string{"counts"}, Steps: []definition.Step{count, merge, top}}
}

// texts are files of 100 bytes under some keys.
func texts(n, keys int) []task.Part {
	var parts []task.Part
	for k := range keys {
		for i := k * n / keys; i < (k+1)*n/keys; i++ {
			parts = append(parts, task.Part{Key: fmt.Sprintf("k%03d", k), Name: fmt.Sprint(i), Ref: &task.Ref{Key: fmt.Sprint("in/", i), Size: 100, SHA256: fmt.Sprint(i)}})
		}
	}
	return parts
}

func plan(t *testing.T, def definition.Definition, parts []task.Part, o Options) *Plan {
	t.Helper()
	p, err := Run(t.Context(), process.StartProcess{
		ID: "plan", Definition: def, Inputs: map[string]task.Dataset{"in": {Parts: parts}}, At: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
	}, o)
	require.NoError(t, err)
	require.Empty(t, p.Failed)
	return p
}

func TestAPlanHasTheTasksThatTheCoreWouldSchedule(t *testing.T) {
	for _, n := range []int{0, 1, short, short + 1, 5000} {
		p := plan(t, words(), texts(n, min(n, 10)), Options{})
		require.Equal(t, n, p.Steps[0].Tasks)
		require.Equal(t, min(n, 1)*4, p.Steps[1].Tasks)
		require.Equal(t, 1, p.Steps[2].Tasks)
		require.Equal(t, int64(n*100), p.Steps[0].Read)
		require.Equal(t, int64(n*100), p.Steps[1].Read, "every bucket reads its own, and nothing twice")
	}
}

func TestWhatTasksWriteIsAssumedRatherThanGuessed(t *testing.T) {
	p := plan(t, words(), texts(10, 1), Options{Assume: map[string]Output{"partial": {Parts: 2.5, Bytes: 7}}})
	require.Equal(t, 25, p.Steps[0].Parts)
	require.Equal(t, int64(25*7), p.Steps[0].Written)
	require.Equal(t, Assumed, p.Steps[0].Sizes)
	require.Equal(t, Guessed, p.Steps[1].Sizes)
}

func TestWhatTasksWroteInAnEarlierRunIsTakenFromThere(t *testing.T) {
	s := ran(t, words(), texts(8, 2), 3, 40)
	p := plan(t, words(), texts(80, 2), Options{Recorded: &s})
	require.Equal(t, 240, p.Steps[0].Parts, "three a task, as recorded")
	require.Equal(t, int64(80*120), p.Steps[0].Written)
	require.Equal(t, Recorded, p.Steps[0].Sizes)
	require.Equal(t, task.Duration(80*time.Second), p.Steps[0].Took)
}

// ran is a process whose first step is done: each task took a second, and wrote
// some parts of some bytes.
func ran(t *testing.T, def definition.Definition, inputs []task.Part, parts int, bytes int64) process.State {
	t.Helper()
	s := process.State{}
	tell := func(c process.Command) {
		events, err := process.Decide(s, c)
		require.NoError(t, err)
		s = process.Fold(s, events...)
		require.NoError(t, s.Damage())
	}
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	tell(process.StartProcess{ID: "earlier", Definition: def, Inputs: map[string]task.Dataset{"in": task.Inline(inputs)}, At: at})
	done := process.ConfirmTasks{
		Address: "count", Attempt: 1, Tasks: task.Span(0, len(inputs)), Elapsed: task.Duration(time.Duration(len(inputs)) * time.Second), At: at,
	}
	for i := range inputs {
		for n := range parts {
			done.Parts = append(done.Parts, task.Produced{Index: i, Data: "partial", Part: task.Part{
				Key: inputs[i].Key, Ref: &task.Ref{Key: fmt.Sprint(i, n), Size: bytes, SHA256: "00"},
			}})
		}
	}
	tell(done)
	return s
}

func TestTasksWhoseResultsAreThereAreReusedAndWhatFollowsFromThemMayBe(t *testing.T) {
	def := words()
	for i := range def.Steps {
		def.Steps[i].Cache = definition.CacheUse
	}
	looked := 0
	look := func(w task.Work) ([]task.Produced, bool) {
		looked++
		if w.Address != "count" || w.Tasks[0].First == 3 { // one text has changed
			return nil, false
		}
		i := w.Tasks[0].First
		return []task.Produced{{Index: i, Data: "partial", Part: task.Part{Key: w.Inputs[0].Lists[0][0].Key, Ref: &task.Ref{Key: fmt.Sprint("old/", i), Size: 9, SHA256: "11"}}}}, true
	}
	p := plan(t, def, texts(64, 8), Options{Look: look})
	require.Equal(t, 63, p.Steps[0].Reused)
	require.Equal(t, int64(100), p.Steps[0].Read, "only what is executed reads")
	require.Equal(t, 1, p.Steps[1].Maybe, "the bucket of the text that has changed")
	require.Equal(t, 1, p.Steps[2].Maybe)
	require.Equal(t, 64+3, looked)
	sum := p.Total()
	require.Equal(t, 69, sum.Tasks)
	require.Equal(t, 63, sum.Reused)
}

// library has a child a key.
func library() definition.Definition {
	shrink, sheet, album, book := step("shrink", "small"), step("sheet", "sheet"), step("album", "sheets"), step("bind", "book")
	shrink.Each, sheet.In, book.In = &definition.Each{Binding: bind("photos")}, []definition.Binding{bind("small")}, []definition.Binding{bind("sheets")}
	album.Run, album.Each = task.Run{}, &definition.Each{Binding: definition.Binding{Local: "photos", Data: "in"}, ByKey: true}
	album.Out = definition.Outputs(definition.Binding{Local: "sheet", Data: "sheets"})
	album.Process = &definition.Definition{Name: "album", Inputs: []string{"photos"}, Outputs: []string{"sheet"}, Steps: []definition.Step{shrink, sheet}}
	return definition.Definition{Name: "library", Inputs: []string{"in"}, Outputs: []string{"book"}, Steps: []definition.Step{album, book}}
}

func TestChildrenArePlannedAndAddedUpWhetherTheirElementsAreListedOrLookedUp(t *testing.T) {
	for _, n := range []int{12, 3000} {
		p := plan(t, library(), texts(n, 6), Options{})
		require.Equal(t, 6, p.Steps[0].Tasks)
		require.Equal(t, n, p.Steps[0].Child.Steps[0].Tasks)
		require.Equal(t, 6, p.Steps[0].Child.Steps[1].Tasks)
		require.Equal(t, n+6+1, p.Total().Tasks)
	}
}

func TestTenThousandChildrenArePlanned(t *testing.T) {
	p := plan(t, library(), texts(10_000, 10_000), Options{})
	require.Equal(t, 10_000, p.Steps[0].Tasks)
	require.Equal(t, 20_001, p.Total().Tasks)
}

func TestAConditionThatCanBeToldIsAndOneOverValuesIsLeftOpen(t *testing.T) {
	def := words()
	few := definition.Expr{Op: ">", Args: []definition.Expr{{Op: definition.OpCount, Name: "in"}, {Op: definition.OpValue, Value: json.RawMessage("5")}}}
	score := definition.Expr{Op: ">", Args: []definition.Expr{{Op: definition.OpName, Name: "partial"}, {Op: definition.OpValue, Value: json.RawMessage("5")}}}
	def.Steps[1].When = &definition.Condition{Text: "partial > 5", Expr: score}
	def.Steps[2].When = &definition.Condition{Text: "count(in) > 5", Expr: few}
	p := plan(t, def, texts(3, 1), Options{})
	require.Equal(t, "partial > 5", p.Steps[1].When)
	require.Equal(t, 4, p.Steps[1].Tasks)
	require.True(t, p.Steps[2].Skipped)
	require.Zero(t, p.Steps[2].Tasks)
}

func TestOfARepeatOneRoundIsPlanned(t *testing.T) {
	def := library()
	album := &def.Steps[0]
	album.Each, album.In = nil, []definition.Binding{{Local: "photos", Data: "in"}}
	album.Repeat = &definition.Repeat{Max: 9, Until: &definition.Condition{Text: "false", Expr: definition.Expr{Op: definition.OpValue, Value: json.RawMessage("false")}}}
	p := plan(t, def, texts(5, 1), Options{})
	require.Equal(t, 9, p.Steps[0].Rounds)
	require.Equal(t, 1, p.Steps[0].Tasks)
	require.Equal(t, 5, p.Steps[0].Child.Steps[0].Tasks)
}

func TestARepeatWithoutAConditionIsPlannedToItsEnd(t *testing.T) {
	def := library()
	album := &def.Steps[0]
	album.Each, album.In = nil, []definition.Binding{{Local: "photos", Data: "in"}}
	album.Repeat = &definition.Repeat{Max: 9, Collect: []string{"sheet"}}
	def.Steps[1].In, def.Steps[1].Each = nil, &definition.Each{Binding: bind("sheets")}
	p := plan(t, def, texts(5, 1), Options{})
	require.Zero(t, p.Steps[0].Rounds, "nothing is open")
	require.Equal(t, 9, p.Steps[0].Tasks)
	require.Equal(t, 45, p.Steps[0].Child.Steps[0].Tasks)
	require.Equal(t, 9, p.Steps[1].Tasks)
}

// Merges are merged again; the last one of a level may be short.
func TestNoPartIsLostBetweenMerges(t *testing.T) {
	def := library()
	def.Steps[1].In, def.Steps[1].Each = nil, &definition.Each{Binding: bind("sheets")}
	p := plan(t, def, texts(4097, 4097), Options{})
	require.Equal(t, 4097, p.Steps[1].Tasks)
}

func TestWhatIsWrittenHasTheKeyOfTheElementOrGroupAndThatOfABucketNone(t *testing.T) {
	one, joined, again, buckets, rest := step("count", "partial"), step("joined", "j"), step("again", "g"), step("buckets", "b"), step("rest", "counts")
	one.Each = &definition.Each{Binding: bind("in")}
	joined.Each = &definition.Each{Binding: bind("partial"), With: []definition.Binding{bind("other")}, ByKey: true}
	again.Each = &definition.Each{Binding: bind("partial"), With: []definition.Binding{bind("j")}, ByKey: true}
	buckets.Each = &definition.Each{Binding: bind("g"), ByKey: true, Into: 5}
	rest.Each = &definition.Each{Binding: bind("b"), ByKey: true}
	def := definition.Definition{
		Name: "join", Inputs: []string{"in", "other"}, Outputs: []string{"counts"}, Steps: []definition.Step{one, joined, again, buckets, rest},
	}
	other := append(texts(4, 2), task.Part{Key: "of its own", Ref: &task.Ref{Key: "in/x", Size: 1, SHA256: "x"}})
	start := process.StartProcess{ID: "plan", Definition: def, At: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	tasks := func(o Options) (all []int) {
		start.Inputs = map[string]task.Dataset{"in": {Parts: texts(80, 7)}, "other": {Parts: other}}
		p, err := Run(t.Context(), start, o)
		require.NoError(t, err)
		for _, s := range p.Steps {
			all = append(all, s.Tasks)
		}
		return all
	}
	require.Equal(t, []int{80, 8, 8, 5, 1}, tasks(Options{}))
}

// Keys that a step gave by itself are those that it gave before, so that a join finds them.
func TestRecordedKeysAreTheKeysOfTheNextRun(t *testing.T) {
	count, joined := step("count", "partial"), step("joined", "counts")
	count.Each = &definition.Each{Binding: bind("in")}
	joined.Each = &definition.Each{Binding: bind("partial"), With: []definition.Binding{bind("in")}, ByKey: true}
	def := definition.Definition{Name: "words", Inputs: []string{"in"}, Outputs: []string{"counts"}, Steps: []definition.Step{count, joined}}
	s := ran(t, def, texts(8, 4), 1, 40)
	data := s.Steps()[0].Data["partial"]
	data.Parts = append([]task.Part{{Key: "a", Ref: data.Parts[0].Ref}}, data.Parts...)
	data.Keys = 5
	require.Equal(t, []string{"a", "k000", "k001", "k002", "k003"}, keyNames(data))
	data.Keys = 2
	require.Equal(t, []string{"00000000", "00000001"}, keyNames(data), "where names are not listed")
}

func TestAPlanThatNobodyWaitsForEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Run(ctx, process.StartProcess{ID: "plan", Definition: words(), Inputs: map[string]task.Dataset{"in": {Parts: texts(3, 1)}}}, Options{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestWhatTheCoreRefusesOrWouldFailIsSaidAsTheCoreSaysIt(t *testing.T) {
	_, err := Run(t.Context(), process.StartProcess{ID: "plan", Definition: words()}, Options{})
	require.ErrorContains(t, err, `input "in" is not given`)

	def := words()
	def.Steps[1].Each.Into = 0
	p, err := Run(t.Context(), process.StartProcess{ID: "plan", Definition: def, Inputs: map[string]task.Dataset{"in": {Parts: texts(11_000, 11_000)}}}, Options{})
	require.NoError(t, err)
	require.Contains(t, p.Failed, "11000 distinct keys")
}
