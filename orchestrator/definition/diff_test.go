package definition_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

func TestDiffSaysWhatIsAnother(t *testing.T) {
	long := strings.Repeat("x", 200)
	for name, tc := range map[string]struct {
		change func(d *definition.Definition)
		want   []string
	}{
		"nothing":                               {func(*definition.Definition) {}, nil},
		"a name":                                {func(d *definition.Definition) { d.Name = "words" }, []string{`name "words", was "word-count"`}},
		"a version":                             {func(d *definition.Definition) { d.Version = "" }, []string{`version none, was "1"`}},
		"inputs":                                {func(d *definition.Definition) { d.Inputs = append(d.Inputs, "more") }, []string{"inputs [corpus, more], was [corpus]"}},
		"outputs":                               {func(d *definition.Definition) { d.Outputs = []string{"top"} }, []string{"outputs [top], was [counts, top]"}},
		"a param":                               {func(d *definition.Definition) { d.Params = params(`{"top": 30}`) }, []string{"param top 30, was 20"}},
		"other params":                          {func(d *definition.Definition) { d.Params = params(`{"bottom": "a"}`) }, []string{`param bottom "a" is new`, "param top is gone, was 20"}},
		"a param in another notation":           {func(d *definition.Definition) { d.Params = params(`{"top": 20 }`) }, nil},
		"a timeout":                             {func(d *definition.Definition) { d.Steps[0].Timeout = 300e9 }, []string{"step count: timeout 5m, was none"}},
		"a retry":                               {func(d *definition.Definition) { d.Steps[1].Retry.Attempts = 5; d.Steps[1].Retry.Backoff.Max = 1e9 }, []string{"step merge: retry attempts 5, was 3", "step merge: retry backoff 1s, was 1s..30s"}},
		"a growing wait":                        {func(d *definition.Definition) { d.Steps[1].Retry.Factor = 1.5; d.Steps[1].Retry.Jitter = 0.07 }, []string{"step merge: retry factor 1.5, was 2", "step merge: retry jitter 7%, was 10%"}},
		"no jitter":                             {func(d *definition.Definition) { d.Steps[1].Retry.Jitter = 0 }, []string{"step merge: retry jitter none, was 10%"}},
		"a tolerance":                           {func(d *definition.Definition) { d.Steps[0].Tolerate.Percent = 0.5 }, []string{"step count: tolerate 0.5%, was 0"}},
		"a deadline":                            {func(d *definition.Definition) { d.Deadline = 7200e9 }, []string{"deadline 2h, was none"}},
		"parallelism":                           {func(d *definition.Definition) { d.Steps[0].Parallelism = 5 }, []string{"step count: parallelism 5, was none"}},
		"a parallelism of all":                  {func(d *definition.Definition) { d.Parallelism = 5 }, []string{"parallelism 5, was none"}},
		"a weight":                              {func(d *definition.Definition) { d.Weight = 5 }, []string{"weight 5, was 1"}},
		"a pool":                                {func(d *definition.Definition) { d.Steps[0].Pool = "gpu" }, []string{"step count: pool gpu, was default"}},
		"needs":                                 {func(d *definition.Definition) { d.Steps[0].Needs = task.Resources{CPU: 0.5, Memory: 20e9, GPU: 2} }, []string{"step count: needs cpu=0.5,memory=20GB,gpu=2, was none"}},
		"a rate":                                {func(d *definition.Definition) { d.Steps[0].Rate = definition.Rate{Count: 5, Per: 30e9} }, []string{"step count: rate 5/30s, was none"}},
		"a handler":                             {func(d *definition.Definition) { d.Steps[0].Run.Handler = "words/other" }, []string{"step count: run words/other, was words/count"}},
		"a command":                             {func(d *definition.Definition) { d.Steps[0].Run = task.Run{Command: []string{"a b", "c"}} }, []string{`step count: run ["a b" "c"], was words/count`}},
		"buckets":                               {func(d *definition.Definition) { d.Steps[1].Each.Into = 16 }, []string{"step merge: each [partial] by key into 16, was [partial] by key into 8"}},
		"no fan-out":                            {func(d *definition.Definition) { d.Steps[0].Each = nil }, []string{"step count: each none, was [corpus]"}},
		"a local name":                          {func(d *definition.Definition) { d.Steps[2].In[0].Local = "all" }, []string{"step top: in [all: totals], was [totals]"}},
		"an order":                              {func(d *definition.Definition) { d.Steps[2].After = []string{"count"} }, []string{"step top: after [count], was []"}},
		"a step more":                           {func(d *definition.Definition) { d.Steps = append(d.Steps, definition.Step{Address: "mail"}) }, []string{"step mail is new"}},
		"a step less":                           {func(d *definition.Definition) { d.Steps = d.Steps[1:] }, []string{"step count is gone"}},
		"the order of steps":                    {func(d *definition.Definition) { d.Steps[0], d.Steps[1] = d.Steps[1], d.Steps[0] }, []string{"steps stand in another order"}},
		"a long script that differs at its end": {func(d *definition.Definition) { d.Steps[0].Run = task.Run{Shell: long + "2"} }, []string{`step count: run "` + long[:79] + `…, was words/count`}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := resolve(t, wordCount(t), nil, nil), resolve(t, wordCount(t), nil, nil)
			tc.change(&b)
			assert.Equal(t, tc.want, definition.Diff(a, b))
			if len(tc.want) > 0 {
				assert.NotEqual(t, a.Hash(), b.Hash())
				assert.NotEmpty(t, definition.Diff(b, a))
			}
		})
	}
	t.Run("two scripts that begin the same", func(t *testing.T) {
		a := definition.Definition{Steps: []definition.Step{{Address: "s", Run: task.Run{Shell: long + "1"}}}}
		b := definition.Definition{Steps: []definition.Step{{Address: "s", Run: task.Run{Shell: long + "2"}}}}
		assert.Equal(t, []string{`step s: run is another, the beginning is the same: "` + long[:79] + "…"}, definition.Diff(a, b))
	})
	t.Run("a factor that an old history does not name", func(t *testing.T) {
		a, b := resolve(t, wordCount(t), nil, nil), resolve(t, wordCount(t), nil, nil)
		b.Steps[0].Retry.Factor = 0
		assert.Empty(t, definition.Diff(a, b))
	})
	t.Run("files by their bytes, wherever they lie", func(t *testing.T) {
		a := definition.Definition{Files: []task.File{{Name: "a.py", Ref: task.Ref{Key: "1", SHA256: "aaaaaaaaaaaaaaaa"}}, {Name: "b.py"}}}
		b := definition.Definition{Files: []task.File{{Name: "a.py", Ref: task.Ref{Key: "2", SHA256: "aaaaaaaaaaaaaaaa"}}, {Name: "c.py"}}}
		assert.Equal(t, []string{"file b.py is gone", "file c.py is new"}, definition.Diff(a, b))
		b.Files[0].Ref.SHA256 = "bbbbbbbbbbbbbbbb"
		assert.Contains(t, definition.Diff(a, b), "file a.py has other content: sha256 bbbbbbbbbbbb, was aaaaaaaaaaaa")
	})
}

func params(text string) map[string]json.RawMessage {
	var p map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		panic(err)
	}
	return p
}

func TestAStoredDefinitionIsTheSame(t *testing.T) {
	d := resolve(t, source(t, withParams), map[string]string{"owner": "<&>\u2028é"}, nil)
	stored, err := json.Marshal(d)
	require.NoError(t, err)
	var read definition.Definition
	require.NoError(t, json.Unmarshal(stored, &read))
	assert.Equal(t, d.Hash(), read.Hash())
	assert.Empty(t, definition.Diff(d, read))
}

func TestTheHashIsForEver(t *testing.T) {
	// It is stored in every history. If this fails, old processes are no longer recognised.
	d := resolve(t, wordCount(t), nil, nil)
	assert.Equal(t, "0bd038f338c2fd7b7cdb1eaa4c614aec76b9fc95952c7b2bb2edcd2a82ce179d", d.Hash())
	for i := range d.Steps {
		d.Steps[i].Retry.Factor, d.Steps[i].Retry.Jitter = 0, 0 // as it was resolved before these could be said
	}
	assert.Equal(t, "81e2fd5c43ed6299597a6479b7f366b6d41e8aafdb6f37a76e2046ab15346646", d.Hash())
}

func TestParamsThatAreNoJSONStillHashApart(t *testing.T) {
	a := definition.Definition{Params: map[string]json.RawMessage{"x": json.RawMessage("{")}}
	b := definition.Definition{Params: map[string]json.RawMessage{"x": json.RawMessage("[")}}
	assert.NotEqual(t, a.Hash(), b.Hash())
	assert.NotEmpty(t, definition.Diff(a, b))
	assert.Equal(t, "{", string(a.Params["x"]), "the definition itself stays as it is")
}
