package definition_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
	"github.com/deedrun/deed/task"
)

// source reads a definition that has no fault of its own.
func source(t *testing.T, text string) *definition.Source {
	t.Helper()
	src, faults := parse.Bytes("x.yaml", []byte(text))
	require.Empty(t, faults)
	require.Empty(t, definition.Check(src))
	return src
}

func wordCount(t *testing.T) *definition.Source {
	t.Helper()
	text, err := os.ReadFile("testdata/good/word-count.yaml")
	require.NoError(t, err)
	return source(t, string(text))
}

func resolve(t *testing.T, src *definition.Source, params, settings map[string]string) definition.Definition {
	t.Helper()
	d, faults := definition.Resolve(src, params, settings, nil)
	require.Empty(t, faults)
	return d
}

func binding(name string) definition.Binding { return definition.Binding{Local: name, Data: name} }

func TestResolveFillsInWhatTheAuthorLeftOut(t *testing.T) {
	retry := definition.Retry{Attempts: 3, Backoff: definition.Backoff{Min: task.Duration(time.Second), Max: task.Duration(30 * time.Second)}, Factor: 2, Jitter: 0.1}
	assert.Equal(t, definition.Definition{
		Name: "word-count", Version: "1",
		Inputs:  []string{"corpus"},
		Params:  map[string]json.RawMessage{"top": json.RawMessage("20")},
		Outputs: []string{"counts", "top"},
		Steps: []definition.Step{
			{
				Address: "count", Run: task.Run{Handler: "words/count"}, Retry: retry,
				Each: &definition.Each{Binding: binding("corpus")}, Out: definition.Outputs(binding("partial")),
			},
			{
				Address: "merge", Run: task.Run{Handler: "words/merge"}, Retry: retry,
				Each: &definition.Each{Binding: binding("partial"), ByKey: true, Into: 8}, Out: definition.Outputs(binding("totals")),
			},
			{
				Address: "top", Run: task.Run{Handler: "words/top"}, Retry: retry,
				In: []definition.Binding{binding("totals")}, Out: definition.Outputs(binding("counts"), binding("top")),
			},
		},
	}, resolve(t, wordCount(t), nil, nil))
}

const nested = `
deed: v1
name: nested
steps:
  load: {run: load}
  outer:
    timeout: 1m
    retry: {attempts: 7, backoff: 2s}
    steps:
      plain: {run: plain}
      own: {run: own, timeout: 5s, retry: {attempts: 1}}
      inner:
        timeout: 0
        steps:
          deep: {run: deep, after: [load, outer/plain, load]}
  last: {run: last, after: [outer, outer/own]}
settings:
  outer: {timeout: 2m}
  outer/own: {timeout: 6s, parallelism: 4, pool: big, needs: {cpu: 2, memory: 20GB}, rate: 10/30s}
`

func TestTheNodeNearestToAStepSaysItsSettings(t *testing.T) {
	seconds := func(n int) task.Duration { return task.Duration(time.Duration(n) * time.Second) }
	for name, tc := range map[string]struct {
		address     string
		given       map[string]string
		timeout     task.Duration
		attempts    int
		backoff     string
		parallelism int
	}{
		"nobody says anything":                        {address: "load", attempts: 3, backoff: "1s..30s"},
		"settings for a group win over the group":     {address: "outer/plain", timeout: seconds(120), attempts: 7, backoff: "2s"},
		"settings for a step win over the step":       {address: "outer/own", timeout: seconds(6), attempts: 1, backoff: "2s", parallelism: 4},
		"a zero of the inner group is said":           {address: "outer/inner/deep", attempts: 7, backoff: "2s"},
		"what is given for a step wins":               {"outer/own", map[string]string{"outer/own.timeout": "9s", "outer/own.parallelism": "2"}, seconds(9), 1, "2s", 2},
		"what is given for a group wins over groups":  {"outer/plain", map[string]string{"outer.timeout": "9s", "outer.retry.backoff": "1s..2s"}, seconds(9), 7, "1s..2s", 0},
		"what a step says wins over its group, given": {"outer/own", map[string]string{"outer.timeout": "9s", "outer.retry.attempts": "9"}, seconds(6), 1, "2s", 4},
	} {
		t.Run(name, func(t *testing.T) {
			s := step(t, resolve(t, source(t, nested), nil, tc.given), tc.address)
			assert.Equal(t, tc.timeout.String(), s.Timeout.String())
			assert.Equal(t, tc.attempts, s.Retry.Attempts)
			assert.Equal(t, tc.backoff, s.Retry.Backoff.String())
			assert.Equal(t, tc.parallelism, s.Parallelism)
		})
	}
}

const supervised = `
deed: v1
name: supervised
deadline: 2h
steps:
  alone: {run: alone@2}
  outer:
    tolerate: 1%
    retry: {factor: 3, jitter: 50%}
    steps:
      plain: {run: plain}
      own: {run: own, tolerate: 0, retry: {jitter: 0}}
settings:
  outer/plain: {retry: {factor: 4}}
`

func TestFactorJitterAndToleranceAreInheritedLikeTheRest(t *testing.T) {
	for name, tc := range map[string]struct {
		address string
		given   map[string]string
		want    string // factor, jitter, tolerate
	}{
		"nobody says anything":               {"alone", nil, "2 0.1 0"},
		"the group and settings":             {"outer/plain", nil, "4 0.5 1%"},
		"zeros of a step are said":           {"outer/own", nil, "3 0 0"},
		"what is given for a step wins":      {"outer/own", map[string]string{"outer/own.tolerate": "all", "outer/own.retry.jitter": "0.7%"}, "3 0.007 all"},
		"what is given for a group goes in":  {"outer/plain", map[string]string{"outer.tolerate": "7", "outer.retry.factor": "9"}, "4 0.5 7"},
		"what a step says wins over a group": {"outer/own", map[string]string{"outer.tolerate": "7"}, "3 0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := step(t, resolve(t, source(t, supervised), nil, tc.given), tc.address)
			assert.Equal(t, tc.want, fmt.Sprint(s.Retry.Factor, s.Retry.Jitter, " ", s.Tolerate))
		})
	}
}

const placed = `
deed: v1
name: placed
parallelism: 20
weight: 3
steps:
  alone: {run: alone, rate: 5/s}
  outer:
    pool: gpu
    needs: {cpu: 2, memory: 4GiB}
    steps:
      plain: {run: plain}
      own: {run: own, pool: default, needs: {gpu: 1}}
      bare: {run: bare, needs: {}}
settings:
  outer/plain: {rate: 100/m}
`

func TestAPoolAndNeedsAreInheritedNeedsAsAWholeAndARateIsNot(t *testing.T) {
	for name, tc := range map[string]struct {
		address string
		given   map[string]string
		want    string // pool, needs, rate
	}{
		"nobody says anything":              {"alone", nil, `"" nothing 5/s`},
		"the group, and settings":           {"outer/plain", nil, `"gpu" cpu 2, memory 4 GiB 100/m`},
		"what a step says wins":             {"outer/own", nil, `"" gpu 1 0/0s`},
		"nothing is said too":               {"outer/bare", nil, `"gpu" nothing 0/0s`},
		"what is given for a step wins":     {"outer/own", map[string]string{"outer/own.pool": "big", "outer/own.needs": "cpu=1"}, `"big" cpu 1 0/0s`},
		"what is given for a group goes in": {"outer/plain", map[string]string{"outer.pool": "none", "outer.needs": "none"}, `"" nothing 100/m`},
		"a rate is lifted":                  {"alone", map[string]string{"alone.rate": "none"}, `"" nothing 0/0s`},
	} {
		t.Run(name, func(t *testing.T) {
			s := step(t, resolve(t, source(t, placed), nil, tc.given), tc.address)
			assert.Equal(t, tc.want, fmt.Sprintf("%q %s %s", s.Pool, s.Needs, s.Rate))
		})
	}
}

func TestTheParallelismAndTheWeightOfTheFileMayBeOthersAtSubmit(t *testing.T) {
	d := resolve(t, source(t, placed), nil, nil)
	assert.Equal(t, []int{20, 3}, []int{d.Parallelism, d.Weight})
	d = resolve(t, source(t, placed), nil, map[string]string{"parallelism": "7", "weight": "100"})
	assert.Equal(t, []int{7, 100}, []int{d.Parallelism, d.Weight})
	d = resolve(t, source(t, placed), nil, map[string]string{"parallelism": "none", "weight": "none"})
	assert.Equal(t, []int{0, 0}, []int{d.Parallelism, d.Weight})
}

func TestTheDeadlineOfTheFileMayBeMovedOrLiftedAtSubmit(t *testing.T) {
	for given, want := range map[string]string{"": "2h", "30m": "30m", "none": "0s"} {
		settings := map[string]string{}
		if given != "" {
			settings["deadline"] = given
		}
		assert.Equal(t, want, resolve(t, source(t, supervised), nil, settings).Deadline.String())
	}
	d := resolve(t, source(t, nested), nil, map[string]string{"outer/own.parallelism": "none", "outer/own.timeout": "none"})
	own := step(t, d, "outer/own")
	assert.Zero(t, own.Parallelism)
	assert.Zero(t, own.Timeout)
}

func TestAPinnedHandlerStaysOneWord(t *testing.T) {
	d := resolve(t, source(t, supervised), nil, nil)
	assert.Equal(t, task.Run{Handler: "alone@2"}, d.Steps[0].Run)
}

func TestAfterAGroupIsAfterAllItsStepsOnce(t *testing.T) {
	d := resolve(t, source(t, nested), nil, nil)
	assert.Equal(t, []string{"outer/plain", "outer/own", "outer/inner/deep"}, step(t, d, "last").After)
	assert.Equal(t, []string{"load", "outer/plain"}, step(t, d, "outer/inner/deep").After)
}

const withParams = `
deed: v1
name: params
params: {width: 320, quality: 0.8, grey: false, title: Summer, owner: null}
steps:
  resize: {run: [resize, "--width=${params.width}", "${params.title}${params.grey}", "${params.owner}", "$${params.width}", "$5 $"]}
  script: {sh: "echo $HOME ${PATH}"}
`

func TestParamsAreReadByTheTypeOfTheirDefault(t *testing.T) {
	d := resolve(t, source(t, withParams), map[string]string{"width": "640", "quality": "1", "grey": "true", "title": "12", "owner": "ann <a@b>"}, nil)
	got, err := json.Marshal(d.Params)
	require.NoError(t, err)
	assert.JSONEq(t, `{"width": 640, "quality": 1, "grey": true, "title": "12", "owner": "ann <a@b>"}`, string(got))
	assert.Equal(t, []string{"resize", "--width=640", "12true", "ann <a@b>", "${params.width}", "$5 $"}, d.Steps[0].Run.Command)
	assert.Equal(t, "echo $HOME ${PATH}", d.Steps[1].Run.Shell, "scripts stay as they are")
	for text, want := range map[string]string{"007": `"007"`, "7": "7", "-1.5e3": "-1.5e3", "true": "true", "null": `"null"`, "": `""`, "[1]": `"[1]"`} {
		d := resolve(t, source(t, withParams), map[string]string{"owner": text}, nil)
		assert.Equal(t, want, string(d.Params["owner"]), "a param without a default")
	}
	d = resolve(t, source(t, withParams), map[string]string{"owner": "1 "}, nil)
	assert.Equal(t, `"1 "`, string(d.Params["owner"]), "a number with a space is a text")
}

func TestWhatIsGivenAtSubmitIsRefusedInWords(t *testing.T) {
	for name, tc := range map[string]struct {
		params, settings map[string]string
		files            []task.File
		want             string
	}{
		"a misspelled param":         {params: map[string]string{"owner": "a", "widht": "1"}, want: `param "widht" is given, but not declared; did you mean "width"?`},
		"a param that is missing":    {want: `x.yaml:4:64: param "owner" has no value; give it at submit, or write a default`},
		"text for a number":          {params: map[string]string{"owner": "a", "quality": "high"}, want: `param "quality": "high" is no number, the type of its default 0.8`},
		"a fraction for a whole":     {params: map[string]string{"owner": "a", "width": "1.5"}, want: `param "width": "1.5" is no whole number, the type of its default 320`},
		"text for a boolean":         {params: map[string]string{"owner": "a", "grey": "yes"}, want: `param "grey": "yes" is no boolean (true or false), the type of its default false`},
		"a step that does not exist": {params: map[string]string{"owner": "a"}, settings: map[string]string{"rezise.timeout": "5m"}, want: `setting "rezise.timeout": "rezise" does not exist; did you mean "resize"?`},
		"an unknown setting":         {params: map[string]string{"owner": "a"}, settings: map[string]string{"resize.retry": "5"}, want: `resize: setting "resize.retry": "retry" is no setting; there are timeout, retry.attempts, retry.backoff, retry.factor, retry.jitter, parallelism, tolerate, pool, needs, rate, cache, limits, and without an address deadline, parallelism, weight, cache`},
		"a setting of nobody":        {params: map[string]string{"owner": "a"}, settings: map[string]string{"retry.jitter": "5%"}, want: `setting "retry.jitter" has no address; write it as ADDRESS.retry.jitter`},
		"a misspelled deadline":      {params: map[string]string{"owner": "a"}, settings: map[string]string{"dedline": "2h"}, want: `setting "dedline": "dedline" does not exist; did you mean "deadline"?`},
		"a deadline of a step":       {params: map[string]string{"owner": "a"}, settings: map[string]string{"resize.deadline": "2h"}, want: `resize: setting "resize.deadline": "deadline" is no setting; the process has one, not its steps: write deadline without an address`},
		"a deadline that is over":    {params: map[string]string{"owner": "a"}, settings: map[string]string{"deadline": "0s"}, want: `deadline 0s leaves the process no time; write a time like 2h, or none for no deadline`},
		"a deadline that is none":    {params: map[string]string{"owner": "a"}, settings: map[string]string{"deadline": "soon"}, want: `setting "deadline": "soon" is no duration: write it like 30s, 5m or 1h30m`},
		"a factor that shrinks":      {params: map[string]string{"owner": "a"}, settings: map[string]string{"resize.retry.factor": "0.5"}, want: `resize: factor 0.5 is not between 1 and 100; write 2 to double each wait, or 1 to keep it`},
		"a tolerance of too many":    {params: map[string]string{"owner": "a"}, settings: map[string]string{"resize.tolerate": "101%"}, want: `resize: tolerate 101% is more than 100%; write all`},
		"a misspelled setting":       {params: map[string]string{"owner": "a"}, settings: map[string]string{"resize.timeuot": "5m"}, want: `resize: setting "resize.timeuot": "timeuot" is no setting; did you mean "timeout"?`},
		"a bad value":                {params: map[string]string{"owner": "a"}, settings: map[string]string{"resize.timeout": "5"}, want: `resize: setting "resize.timeout": "5" is no duration: write it like 30s, 5m or 1h30m`},
		"a value out of bounds":      {params: map[string]string{"owner": "a"}, settings: map[string]string{"resize.retry.attempts": "0"}, want: `resize: attempts 0 is less than 1; write 1 to try once and never again`},
		"a file nobody lists":        {params: map[string]string{"owner": "a"}, files: []task.File{{Name: "a.py"}}, want: `file "a.py" is handed in, but not listed; list it under files`},
	} {
		t.Run(name, func(t *testing.T) {
			d, faults := definition.Resolve(source(t, withParams), tc.params, tc.settings, tc.files)
			require.Len(t, faults, 1)
			assert.Equal(t, tc.want, faults[0].String())
			assert.Zero(t, d)
		})
	}
}

func TestFilesAreTiedToTheirBytesInTheOrderOfTheSource(t *testing.T) {
	src := source(t, "{deed: v1, name: x, files: [b.py, lib/a.py], steps: {s: {run: [python3, b.py]}}}")
	a, b := task.File{Name: "lib/a.py", Ref: task.Ref{Key: "1"}}, task.File{Name: "b.py", Ref: task.Ref{Key: "2"}}
	d, faults := definition.Resolve(src, nil, nil, []task.File{a, b})
	require.Empty(t, faults)
	assert.Equal(t, []task.File{b, a}, d.Files)
	_, faults = definition.Resolve(src, nil, nil, []task.File{a})
	require.Len(t, faults, 1)
	assert.Equal(t, `x.yaml:1:29: file "b.py" was not handed in`, faults[0].String())
}

func TestASourceThatWasNotReadAsAWholeIsNeverResolved(t *testing.T) {
	for _, text := range []string{"", "[]", "\xff", "{deed: v1, name: x, steps: {a: {run: a}}, odd: 1}", "{deed: v1, name: x, steps: {a: {run: a, in: [b]}}}"} {
		src, _ := parse.Bytes("x.yaml", []byte(text))
		d, faults := definition.Resolve(src, nil, nil, nil)
		assert.NotEmpty(t, faults, text)
		assert.Zero(t, d)
	}
}
