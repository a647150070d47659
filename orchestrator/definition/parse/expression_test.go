package parse_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
	"github.com/deedrun/deed/task"
)

// seen are values of every type.
type seen struct{}

func (seen) Value(name string) (json.RawMessage, bool) {
	text, ok := map[string]string{
		"score": `0.5`, "kind-of-data": `"csv"`, "about": `{"rows": 3, "tags": ["a", "b"], "in": true}`, "list": `[1, 2, 3]`, "ok": `true`, "a": `7`, "b": `2`, "sizes": `[10, 20]`,
	}[name]
	return json.RawMessage(text), ok
}

func (seen) Param(name string) (json.RawMessage, bool) {
	text, ok := map[string]string{"least": `0.4`, "mode": `"fast"`}[name]
	return json.RawMessage(text), ok
}

func (seen) Dataset(name string) (task.Dataset, bool) {
	return task.Dataset{Count: 4, Keys: 2, Bytes: 100}, name == "rows"
}

const conditional = `
deed: v1
name: conditional
inputs: [rows]
params: {least: 0.4, mode: fast}
steps:
  values:
    run: x
    in: [rows]
    out:
      score: {json: number}
      kind: {as: kind-of-data, json: string}
      about: {json: object}
      list: {json: array}
      ok: {json: boolean}
      a: {json: number}
      b: {json: number}
      skipped: {json: number}
  sizes: {run: x, each: rows, out: {size: {as: sizes, json: number}}}
  then: {run: x, in: [score, kind-of-data, about, list, ok, a, b, skipped, sizes], out: [y], when: WHEN}
outputs: [y]
`

func TestAConditionMeansWhatItsTextSays(t *testing.T) {
	for text, want := range map[string]bool{
		`score > params.least`:                               true,
		`score > params.least and not ok`:                    false,
		`kind-of-data == "csv"`:                              true,
		`a - b == 5`:                                         true,
		`kind-of-data in ["tsv", 'csv']`:                     true,
		`kind-of-data not in ["csv"]`:                        false,
		`kind-of-data startsWith "c" && "csv" contains "s"`:  true,
		`kind-of-data matches "^[ab]"`:                       false,
		`kind-of-data + "." == "csv."`:                       true,
		`about.rows >= 3 && about["tags"][1] == "b"`:         true,
		`about.tags[-1] == "b" && about.missing == null`:     true,
		`"rows" in about && about.in`:                        true,
		`1 < b < a`:                                          true,
		`1 < a < b`:                                          false,
		`sum(list) == 6 && max(list) == 3 && min(a, b) == 2`: true,
		`sum(sizes) / len(sizes) == 15`:                      true,
		`any(list, # > 2) && all(list, {# > 0})`:             true,
		`len(filter(list, # % 2 == 1)) == 2`:                 true,
		`map(list, # * 2) == [2, 4, 6]`:                      true,
		`count(rows) == 4 && keys(rows) == 2`:                true,
		`bytes(rows) > 1_000`:                                false,
		`skipped > 0 || skipped <= 0`:                        false,
		`skipped == null && skipped == nil`:                  true,
		`(skipped ?? 3) == 3`:                                true,
		`ok ? a > b : b > a`:                                 true,
		`abs(b - a) == 5 && -a < 0`:                          true,
		`params.mode != "slow"`:                              true,
	} {
		t.Run(text, func(t *testing.T) {
			quoted, err := json.Marshal(text)
			require.NoError(t, err)
			src, faults := parse.Bytes("x.yaml", []byte(strings.ReplaceAll(conditional, "WHEN", string(quoted))))
			require.Empty(t, append(faults, definition.Check(src)...))
			d, faults := definition.Resolve(src, nil, nil, nil)
			require.Empty(t, faults)
			when := d.Steps[2].When
			assert.Equal(t, text, when.Text)
			got, err := when.Holds(seen{})
			require.NoError(t, err)
			assert.Equal(t, want, got)

			stored, err := json.Marshal(when)
			require.NoError(t, err)
			var read definition.Condition
			require.NoError(t, json.Unmarshal(stored, &read))
			assert.Equal(t, *when, read, "it is stored as it is")
		})
	}
}

func TestAnExpressionThatIsTooLongIsRefused(t *testing.T) {
	compared := "a"
	for range 5 { // each doubles what it stands for
		compared = "1 < (" + compared + ") < 3 < 4"
	}
	for name, text := range map[string]string{
		"many terms":       strings.Repeat("ok && ", 200) + "ok",
		"many letters":     strings.Repeat(" ", 5000) + "ok",
		"many brackets":    strings.Repeat("(", 2000) + "ok",
		"deep comparisons": strings.Repeat("!", 200) + "ok",
		"wide comparisons": "[" + strings.Repeat(compared+", ", 40) + "1] == [1]",
	} {
		t.Run(name, func(t *testing.T) {
			quoted, err := json.Marshal(text)
			require.NoError(t, err)
			src, faults := parse.Bytes("x.yaml", []byte(strings.ReplaceAll(conditional, "WHEN", string(quoted))))
			require.NotEmpty(t, append(faults, definition.Check(src)...))
			for _, f := range faults {
				assert.Less(t, len(f.String()), 1000)
			}
		})
	}
}
