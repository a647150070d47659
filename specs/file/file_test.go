package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/specs/file"
)

// texts has a step of each kind: a task a text, a task a letter, one task.
const texts = `deed: v1
name: texts
inputs: [corpus]
params: {top: 5}
steps:
  count: {run: t/count, each: corpus, out: [partial], retry: {backoff: 1s..30s}}
  merge: {run: t/merge, each: partial by key, out: [totals]}
  top: {run: t/top, in: [totals], out: [list]}
outputs: [list]
`

// write lays a definition and its specifications in a folder of their own.
func write(t *testing.T, specs string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "process.yaml"), []byte(texts), 0o600))
	path := filepath.Join(dir, "process.spec.yaml")
	require.NoError(t, os.WriteFile(path, []byte(specs), 0o600))
	return path
}

// told runs specifications that have no faults.
func told(t *testing.T, specs string) []file.Result {
	t.Helper()
	f, faults, err := file.Load(write(t, specs))
	require.NoError(t, err)
	require.Empty(t, faults)
	return f.Run()
}

func problems(results []file.Result) string {
	var b strings.Builder
	for _, r := range results {
		for _, p := range r.Problems {
			p.File = filepath.Base(p.File)
			b.WriteString(strings.TrimSuffix(p.String(), "\n") + "\n")
		}
	}
	return b.String()
}

func TestWhatIsNotSaidIsWhatUsuallyHappens(t *testing.T) {
	file.Test(t, "testdata/usual.spec.yaml")
}

func TestEverythingThatMayHappenCanBeTold(t *testing.T) {
	file.Test(t, "testdata/happenings.spec.yaml")
}

func TestASpecReadsAsProse(t *testing.T) {
	results := told(t, `
specs:
- name: the last text starts the merge
  inputs: {corpus: [a, b]}
  given:
  - done: count[0]
  when: {done: "count[1]"}
  then:
    steps: {count: completed}
    scheduled: merge
`)
	require.Empty(t, problems(results))
	require.Equal(t, `The last text starts the merge
Given process texts is started with corpus of 2 parts under 2 keys
  and count[0] reported done by attempt 1, writing partial under key a
 When count[1] reported done by attempt 1, writing partial under key b
 Then count is completed
  and scheduled: merge[0-1]
`, results[0].Spec.String())
}

func TestASpecThatDoesNotHoldSaysWhereWhatIsWantedAndWhatCame(t *testing.T) {
	require.Equal(t, `process.spec.yaml:9:5: steps
  want  count is completed
  got   count is running
process.spec.yaml:10:5: scheduled
  want  merge[0]
  got   nothing
process.spec.yaml:14:3: events
        count[0] failed at attempt 1 (retry): out of luck
  want  count[0] to be retried as attempt 2, 3s later
  got   count[0] to be retried as attempt 2, 1s later
process.spec.yaml:22:3: want a refusal with "no"
got
  process paused
`, problems(told(t, `inputs: {corpus: 2}
specs:
- name: a
  given:
  - failed: count[0]
  when:
    done: count[1]
  then:
    steps: {count: completed}
    scheduled: merge[0]
- name: b
  when:
    failed: count[0]
  then:
  - count[0] failed at attempt 1 (retry): out of luck
  - count[0] to be retried as attempt 2, 3s later
- name: c
  when: paused
  then: process paused
- name: d
  when: paused
  then: {refused: no}
`)))
}

func TestAPastThatCannotBeIsTheSpecsFault(t *testing.T) {
	for given, says := range map[string]string{
		"done: count[7]":         `what is given is refused: count[7] reported done by attempt 1: process "texts": "count" has no scheduled tasks 7`,
		"done: count[0-2000000]": `has no scheduled tasks 0–2000000`,
		"done: merge":            "merge has no open tasks; name those that it is about",
		"done: cuont[0]":         `there is no step "cuont"; did you mean "count"?`,
		"resumed":                "what is given",
		"retry due: count[0]":    "what is given changes nothing: the time has come to retry count[0], attempt 2; leave it out, or make it the when",
		"timed out: count[0-1]":  "asks about one task at a time",
		"done: count[0]\n    writes: {partail: 1}":        `there is no output of count "partail"; did you mean "partial"?`,
		"done: count[0]\n    at: 11:00":                   "11:00:00 is before 12:00:00, when the last thing happened",
		"revised: other.yaml":                             "other.yaml",
		"restarted from: cont":                            `did you mean "count"?`,
		"lost: count[0]\n  - done: count[0-1]":            "count[1] is at attempt 1 and count[0] at attempt 2; tell of them one after the other",
		"done: deed/seal/partial[0]":                      "what is given",
		"failed: count[0]\n    generation: 4":             "what is given changes nothing",
		"deadline":                                        "what is given changes nothing",
		"revised: process.yaml\n    params: {top: x}":     `is no number`,
		"revised: process.yaml\n    set: {a.timeout: 1s}": `"a" does not exist`,
	} {
		t.Run(given, func(t *testing.T) {
			results := told(t, "inputs: {corpus: 2}\nspecs:\n- name: a\n  given:\n  - "+given+"\n  when: started\n  then: nothing\n")
			found := problems(results)
			require.Contains(t, found, says)
			require.Regexp(t, `^process.spec.yaml:[5-7]:`, found)
		})
	}
}
