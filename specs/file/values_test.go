package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/specs/file"
)

const scored = `
deed: v1
name: scored
inputs: [texts]
steps:
  score: {run: a/score, each: texts, out: {marks: marks, score: {json: number}, why: {json: object}}}
  praise: {run: a/praise, in: [marks], when: "max(score) > 0.5", out: [praise]}
outputs: [praise, why]
`

// ofScores runs a specification of the definition above; it returns what is wrong
// with it, and what does not hold.
func ofScores(t *testing.T, when, then string) string {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "process.spec.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "process.yaml"), []byte(scored), 0o600))
	require.NoError(t, os.WriteFile(name, []byte("inputs: {texts: 2}\nspecs:\n- name: a\n  when: "+when+"\n  then: "+then+"\n"), 0o600))
	f, faults, err := file.Load(name)
	require.NoError(t, err)
	for _, fault := range faults {
		return fault.String()
	}
	return problems(f.Run())
}

func TestSmallValuesAreAsTheSpecificationSays(t *testing.T) {
	for name, c := range map[string]struct{ when, then string }{
		"a condition holds":             {"{done: score, values: {score: 0.75}}", "{steps: {praise: running}, scheduled: praise}"},
		"a condition does not":          {"{done: score, values: {score: 0.25}}", "{steps: {praise: skipped}, status: completed}"},
		"a number is 0 if it is unsaid": {"{done: score}", "{steps: {praise: skipped}, data: {praise: 0, why: 2}}"},
		"an object is whatever it is":   {"{done: score, values: {why: {words: [1, null]}}}", "{status: completed}"},
		"a wrong type is wrong":         {"{done: score, values: {score: much}}", "{status: failed, because: score}"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Empty(t, ofScores(t, c.when, c.then))
		})
	}
}

func TestAValueThatIsNoneIsSaidWithItsPlace(t *testing.T) {
	for when, says := range map[string]string{
		"{done: score, values: {marks: 1}}":    `"marks" is no small value: its type is not declared in out`,
		"{done: score, values: {scores: 1}}":   `there is no output of score "scores"; did you mean "score"?`,
		"{done: score, values: {score: .inf}}": `what is written to "score" is no value; write it as in JSON`,
		"{done: score, values: 1}":             "values must be a mapping, not the number 1; write {NAME: 0.5}",
		"{failed: score, values: {score: 1}}":  `"values" is no key of failed`,
	} {
		require.Contains(t, ofScores(t, when, "nothing"), says, when)
	}
}
