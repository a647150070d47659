package definition_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
	"github.com/deedrun/deed/task"
)

// good is a definition of testdata, with those that it names and their files.
func good(t *testing.T, name string) (src *definition.Source, files []task.File) {
	t.Helper()
	src, faults, err := parse.File("testdata/good/" + name)
	require.NoError(t, err)
	require.Empty(t, append(faults, definition.Check(src)...))
	for i, f := range src.AllFiles() {
		files = append(files, task.File{Name: f.Value, Ref: task.Ref{Key: f.Value, Size: int64(i), SHA256: f.Value}})
	}
	return src, files
}

func resolved(t *testing.T, name string, settings map[string]string) definition.Definition {
	t.Helper()
	src, files := good(t, name)
	d, faults := definition.Resolve(src, nil, settings, files)
	require.Empty(t, faults)
	requireWired(t, d)
	return d
}

// requireWired makes sure that every child is given what it asks for and nothing
// else, and hands up what is read of it: what the core demands.
func requireWired(t *testing.T, d definition.Definition) {
	t.Helper()
	for _, s := range d.Steps {
		if s.Process == nil {
			require.Nil(t, s.Repeat, s.Address)
			continue
		}
		var given []string
		if s.Each != nil {
			given = append(given, s.Each.Local)
			for _, b := range s.Each.With {
				given = append(given, b.Local)
			}
		}
		for _, b := range s.In {
			given = append(given, b.Local)
		}
		if s.Repeat != nil {
			require.Positive(t, s.Repeat.Max)
			for local, out := range s.Repeat.Carry {
				given = append(given, local)
				require.Contains(t, s.Process.Outputs, out)
			}
		}
		require.ElementsMatch(t, s.Process.Inputs, given, s.Address)
		for _, out := range s.Out {
			require.Contains(t, s.Process.Outputs, out.Local, s.Address)
		}
		for _, out := range s.Process.Outputs {
			require.True(t, writes(*s.Process, out), "%s hands up %q", s.Address, out)
		}
		requireWired(t, *s.Process)
	}
}

func writes(d definition.Definition, name string) bool {
	return slices.ContainsFunc(d.Steps, func(s definition.Step) bool {
		return slices.ContainsFunc(s.Out, func(out definition.Output) bool { return out.Data == name })
	})
}

func step(t *testing.T, d definition.Definition, address string) definition.Step {
	t.Helper()
	s, ok := d.Step(address)
	require.True(t, ok, address)
	return s
}

func TestAGroupWithEachIsAProcessThatIsGivenWhatItsStepsReadAndDoNotWrite(t *testing.T) {
	d := resolved(t, "children.yaml", nil)
	s := step(t, d, "each-photo")
	assert.Equal(t, &definition.Each{Binding: definition.Binding{Local: "photo", Data: "photos"}}, s.Each)
	assert.Equal(t, []definition.Binding{{Local: "mark", Data: "watermark"}}, s.In)
	assert.Equal(t, []definition.Output{{Binding: binding("faces")}, {Binding: binding("score"), JSON: definition.Number}}, s.Out)
	assert.Equal(t, 1, s.Retry.Attempts, "a child is tried once")
	assert.Equal(t, task.Duration(10*time.Minute), s.Timeout)
	assert.Equal(t, 20, s.Parallelism)
	assert.Equal(t, "gpu", s.Pool)

	child := *s.Process
	assert.Equal(t, []string{"photo", "mark"}, child.Inputs)
	assert.Equal(t, []string{"faces", "score"}, child.Outputs)
	assert.Equal(t, params(`{"season": "Summer", "width": 640}`), child.Params)
	look := step(t, child, "look")
	assert.Equal(t, 3, look.Retry.Attempts)
	assert.Equal(t, task.Duration(time.Minute), look.Timeout, "settings are given by the address in the file")
	assert.Equal(t, "gpu", look.Pool, "a pool is inherited")
	assert.Equal(t, 0, look.Parallelism)
	rate := step(t, child, "rate")
	assert.Equal(t, task.Duration(0), rate.Timeout, "the timeout is that of the child")
	assert.Equal(t, []string{"crop"}, rate.After)
	assert.Equal(t, params(`{"least": 640}`), rate.Params)
	require.NotNil(t, step(t, child, "crop").When)
	assert.ElementsMatch(t, []string{"photo", "mark", "found", "sharp"}, step(t, child, "crop").Reads())
}

func TestADefinitionThatIsNamedIsAChildWithParamsAndFilesOfItsOwn(t *testing.T) {
	d := resolved(t, "children.yaml", map[string]string{"album/shrink.retry.attempts": "7", "album.timeout": "1h", "album/sheet.limits": "memory=1GiB"})
	s := step(t, d, "album")
	assert.Equal(t, 2, s.Retry.Attempts)
	assert.Equal(t, definition.Tolerance{Percent: 1}, s.Tolerate)
	assert.Equal(t, task.Duration(time.Hour), s.Timeout)
	assert.Equal(t, []definition.Output{
		{Binding: definition.Binding{Local: "sheet", Data: "sheets"}},
		{Binding: definition.Binding{Local: "sharpness", Data: "sharpness-of-all"}, JSON: definition.Number},
	}, s.Out, "the type is declared by the step inside")
	assert.Equal(t, params(`{"width": 640, "title": "Summer album", "square": false}`), s.Process.Params)
	assert.Equal(t, []task.File{{Name: "sheet.py", Ref: task.Ref{Key: "album/sheet.py", SHA256: "album/sheet.py"}}}, s.Process.Files)
	assert.Empty(t, d.Files)
	assert.Len(t, d.AllFiles(), 1)

	shrink, sheet := step(t, *s.Process, "shrink"), step(t, *s.Process, "sheet")
	assert.Equal(t, 7, shrink.Retry.Attempts)
	assert.Equal(t, task.Duration(2*time.Minute), shrink.Timeout)
	assert.Equal(t, definition.CacheUse, shrink.Cache)
	assert.Equal(t, task.Limits{Memory: 1 << 30}, sheet.Limits)
	assert.Equal(t, task.Run{Command: []string{"python3", "sheet.py", "--title", "Summer album"}, Keep: true}, sheet.Run)
	assert.Empty(t, s.Cache, "children are no tasks that could be reused")
}

func TestRoundsHandUpWhatIsCarriedAndWhatEndsThem(t *testing.T) {
	d := resolved(t, "repeat.yaml", nil)
	s := step(t, d, "fetch")
	assert.ElementsMatch(t, []string{"rows", "next", "done"}, s.Process.Outputs)
	assert.ElementsMatch(t, []string{"yesterday", "cursor"}, s.Process.Inputs)
	assert.Equal(t, map[string]string{"cursor": "next"}, s.Repeat.Carry)
	assert.Equal(t, []string{"rows"}, s.Repeat.Collect)
	assert.Equal(t, 1000, s.Repeat.Max)
	assert.Equal(t, "done || round >= 100", s.Repeat.Until.Text)
	assert.Equal(t, definition.CacheUse, step(t, *s.Process, "page").Cache)
	assert.Empty(t, step(t, *s.Process, "fresh").Cache, "what a step says is nearer than what the definition says")

	for round, ends := range map[string]bool{"1": false, "100": true} {
		got, err := s.Repeat.Until.Holds(look{values: map[string]string{"done": "false", definition.Round: round}})
		require.NoError(t, err)
		assert.Equal(t, ends, got)
	}
	assert.Equal(t, definition.Number, step(t, d, "means").Out[1].JSON)
}

func TestTheConditionOfAGroupHoldsForEachOfItsSteps(t *testing.T) {
	d := resolved(t, "conditions.yaml", nil)
	fast := step(t, d, "good/fast")
	assert.Equal(t, `(score >= params.least) && (params.mode == "fast" && kind-of-data in ["csv", "tsv"])`, fast.When.Text)
	assert.Equal(t, []string{"rows", "score", "kind-of-data"}, fast.Reads())
	for _, tc := range []struct {
		score, kind string
		holds       bool
	}{{"0.95", `"csv"`, true}, {"0.5", `"csv"`, false}, {"0.95", `"xml"`, false}, {"null", `"csv"`, false}} {
		got, err := fast.When.Holds(look{values: map[string]string{"score": tc.score, "kind-of-data": tc.kind}, params: map[string]string{"least": "0.9", "mode": `"fast"`}})
		require.NoError(t, err)
		assert.Equal(t, tc.holds, got, tc)
	}
}

func TestAJoinReadsEachOfItsNames(t *testing.T) {
	d := resolved(t, "joins.yaml", nil)
	keys, buckets := step(t, d, "keys").Each, step(t, d, "buckets").Each
	assert.Equal(t, &definition.Each{Binding: binding("orders"), ByKey: true, With: []definition.Binding{binding("customers")}}, keys)
	assert.Equal(t, "orders, customers by key", keys.String())
	assert.Equal(t, 8, buckets.Into)
	assert.Equal(t, []definition.Binding{{Local: "right", Data: "refunds"}}, buckets.With)
}

func TestAStandardHandlerFindsEveryParameter(t *testing.T) {
	d := resolved(t, "standard.yaml", nil)
	split := step(t, d, "split").Params
	assert.JSONEq(t, `"1MiB"`, string(split["size"]))
	assert.JSONEq(t, `"16MiB"`, string(split["largest"]), "a default is kept with the step")

	src, files := good(t, "standard.yaml")
	_, faults := definition.Resolve(src, map[string]string{"size": "many"}, nil, files)
	require.Len(t, faults, 1)
	assert.Contains(t, faults[0].String(), `split: param "size" of deed/split cannot be "many"`)
}

func TestASettingOfARunningProcessReachesChildren(t *testing.T) {
	d := resolved(t, "children.yaml", nil)
	before := d.Hash()
	set := func(setting, value string) definition.Definition {
		t.Helper()
		changed, err := definition.Set(d, setting, value)
		require.NoError(t, err)
		requireWired(t, changed)
		assert.Equal(t, before, d.Hash(), "the given definition stays as it is")
		return changed
	}
	inner := step(t, *step(t, set("album/shrink.timeout", "9m"), "album").Process, "shrink")
	assert.Equal(t, task.Duration(9*time.Minute), inner.Timeout)

	whole := step(t, set("each-photo.timeout", "9m"), "each-photo")
	assert.Equal(t, task.Duration(9*time.Minute), whole.Timeout)
	assert.Equal(t, task.Duration(time.Minute), step(t, *whole.Process, "look").Timeout, "the timeout of a child is not that of its steps")

	pooled := step(t, set("each-photo.pool", "big"), "each-photo")
	assert.Equal(t, "big", pooled.Pool)
	assert.Equal(t, "big", step(t, *pooled.Process, "look").Pool)

	cached := set("cache", "refresh")
	assert.Equal(t, definition.CacheRefresh, step(t, *step(t, cached, "each-photo").Process, "look").Cache)
	assert.Equal(t, definition.CacheRefresh, step(t, cached, "report").Cache)

	_, err := definition.Set(d, "each-photo/look.limits", "memory=1GiB")
	require.ErrorContains(t, err, "limits are of programs")
	_, err = definition.Set(d, "album/shrnk.timeout", "1m")
	require.ErrorContains(t, err, `did you mean "album/shrink"?`)
}

func TestDifferencesOfChildrenAreTold(t *testing.T) {
	d := resolved(t, "children.yaml", nil)
	again := resolved(t, "repeat.yaml", nil)
	assert.Empty(t, definition.Diff(d, d))
	change := func(change func(s *definition.Step)) definition.Definition {
		t.Helper()
		var copied definition.Definition
		text, err := json.Marshal(d)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &copied))
		require.Equal(t, d.Hash(), copied.Hash())
		change(&copied.Steps[1])
		return copied
	}
	was := step(t, d, "each-photo")
	for name, tc := range map[string]struct {
		change func(s *definition.Step)
		diff   []string
		work   []string
	}{
		"the timeout of a step inside": {
			func(s *definition.Step) { s.Process.Steps[0].Timeout = 0 },
			[]string{"step each-photo/look: timeout none, was 1m"},
			nil,
		},
		"what a step inside runs": {
			func(s *definition.Step) { s.Process.Steps[0].Run.Handler = "photos/see" },
			[]string{"step each-photo/look: run photos/see, was photos/look"},
			[]string{"run of look inside is photos/see instead of photos/look"},
		},
		"the condition of a step inside": {
			func(s *definition.Step) { s.Process.Steps[1].When = nil },
			[]string{"step each-photo/crop: when none, was sharp && len(found) > 0"},
			[]string{"when of crop inside is none instead of sharp && len(found) > 0"},
		},
		"a param of the child": {
			func(s *definition.Step) { s.Process.Params["width"] = json.RawMessage("1") },
			[]string{"child of each-photo: param width 1, was 640"},
			[]string{`params of its child is {season: "Summer", width: 1} instead of {season: "Summer", width: 640}`},
		},
		"a step that is gone": {
			func(s *definition.Step) { s.Process.Steps = s.Process.Steps[:2] },
			[]string{"step each-photo/rate is gone"},
			[]string{"the steps of its child is [crop, look] instead of [crop, look, rate]"},
		},
		"rounds": {
			func(s *definition.Step) { s.Repeat = again.Steps[0].Repeat },
			[]string{"step each-photo: repeat {carry: {cursor: next}, collect: [rows], until: done || round >= 100, max: 1000}, was none"},
			[]string{"repeat is {carry: {cursor: next}, collect: [rows], until: done || round >= 100, max: 1000} instead of none"},
		},
		"a program": {
			func(s *definition.Step) {
				s.Process = nil
				s.Run.Shell = "x"
				s.Limits.OpenFiles = 9
				s.Cache = definition.CacheUse
			},
			[]string{`step each-photo: run "x", was a process`, "step each-photo: limits {files: 9}, was none", "step each-photo: cache use, was none"},
			[]string{`run is "x" instead of a process`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			changed := change(tc.change)
			assert.Equal(t, tc.diff, definition.Diff(d, changed))
			assert.Equal(t, tc.work, definition.SameWork(was, changed.Steps[1]))
		})
	}
}

func TestTheFilesOfTestdataAreThere(t *testing.T) {
	src, _ := good(t, "children.yaml")
	assert.Len(t, src.Definitions(), 2)
	for _, f := range src.AllFiles() {
		_, err := os.Stat("testdata/good/" + f.Value)
		require.NoError(t, err)
	}
}
