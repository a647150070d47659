package file_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/specs/file"
)

// faults are those of a file, one a line, without its folder.
func faults(t *testing.T, specs string) string {
	t.Helper()
	_, found, err := file.Load(write(t, specs))
	require.NoError(t, err)
	var lines []string
	for _, f := range found {
		f.File = filepath.Base(f.File)
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

// one is a file of one specification.
func one(given, when, then string) string {
	return fmt.Sprintf("inputs: {corpus: 2}\nspecs:\n- name: a\n  given: [%s]\n  when: %s\n  then: %s\n", given, when, then)
}

func TestWhatIsWrongWithTheFormIsSaidWithItsPlaceAndRemedy(t *testing.T) {
	for name, test := range map[string]struct{ text, says string }{
		"an empty file":     {"", "process.spec.yaml:1:1: the file is empty"},
		"no YAML":           {"specs: [", "process.spec.yaml:1:1: not valid YAML"},
		"no specs":          {"about: nothing\n", "process.spec.yaml:1:1: there are no specifications; write specs: and a list"},
		"specs of one":      {"specs: {name: a}\n", "process.spec.yaml:1:8: specs must be a list, not a mapping; begin each with - name:"},
		"a definition":      {texts, "this is a definition; its specifications belong into"},
		"two documents":     {"specs: []\n---\nspecs: []\n", "a second document begins here; keep one a file"},
		"a misspelled key":  {"spec: []\n", `process.spec.yaml:1:1: "spec" is no key of a file of specifications; did you mean "specs"?`},
		"an unknown key":    {"specs:\n- name: a\n  expect: b\n", `process.spec.yaml:3:3: "expect" is no key of a specification; there are given, inputs, name, params, set, then, when`},
		"a key twice":       {"specs:\n- name: a\n  name: b\n", `process.spec.yaml:3:3: "name" stands here already (line 2)`},
		"no name":           {"specs:\n- when: started\n  then: nothing\n", "process.spec.yaml:2:3: a specification needs name"},
		"no when, no then":  {"specs:\n- name: a\n", "process.spec.yaml:2:3: a specification needs when; say what happens"},
		"a name twice":      {"specs:\n- {name: a, when: paused, then: nothing}\n- {name: a, when: paused, then: nothing}\n", `process.spec.yaml:3:10: a specification with this name stands on line 2`},
		"no such verb":      {one("", "{finished: count}", "nothing"), `process.spec.yaml:5:10: "finished" is nothing that can happen; there are cancelled,`},
		"a near verb":       {one("", "{dome: count}", "nothing"), `process.spec.yaml:5:10: "dome" is nothing that can happen; did you mean "done"?`},
		"an unknown word":   {one("", "puased", "nothing"), `process.spec.yaml:5:9: "puased" is nothing that can happen; did you mean "paused"?`},
		"a verb alone":      {one("", "done", "nothing"), "process.spec.yaml:5:9: done needs more than that"},
		"two verbs":         {one("", "{done: count, lost: count}", "nothing"), `process.spec.yaml:5:23: "lost" is another thing that happens; begin a new item with a dash`},
		"several whens":     {one("", "[paused, resumed]", "nothing"), "process.spec.yaml:5:9: when must be one thing that happens, not a list; put what comes before it under given"},
		"one given":         {"specs:\n- given: paused\n", `process.spec.yaml:2:10: given must be a list of what happened, not the text "paused"; begin each with a dash`},
		"nothing happens":   {one("{}", "paused", "nothing"), "process.spec.yaml:4:11: nothing happens here"},
		"a wrong detail":    {one("", "{lost: count, writes: {partial: 1}}", "nothing"), `process.spec.yaml:5:23: "writes" is no key of lost; there are attempt, generation, at, after`},
		"too much":          {one("", "{paused: count}", "nothing"), `process.spec.yaml:5:18: paused needs nothing, and has the text "count"`},
		"no tasks":          {one("", `{done: "count[]"}`, "nothing"), `process.spec.yaml:5:16: done: "count[]" names no tasks; write count[3] or count[0-2,5], in ascending order`},
		"tasks in disorder": {one("", `{done: "count[3,1]"}`, "nothing"), `process.spec.yaml:5:16: done: "count[3,1]" names no tasks`},
		"no subject":        {one("", `{done: [count]}`, "nothing"), `process.spec.yaml:5:16: done: "" names no tasks`},
		"a bad verdict":     {one("", `{failed: count, verdict: hopeless}`, "nothing"), `process.spec.yaml:5:34: the text "hopeless" is no verdict of a failure; write retry, permanent or timed-out`},
		"a bad time":        {one("", `{failed: count, at: soon}`, "nothing"), `process.spec.yaml:5:29: the text "soon" is no time of the day; write 12:05 or 12:05:30; or after: 10s`},
		"a bad wait":        {one("", `{failed: count, after: 10}`, "nothing"), `process.spec.yaml:5:32: after must be a length of time, not the number 10; write a time like 30s, 5m or 1h30m`},
		"attempt zero":      {one("", `{failed: count, attempt: 0}`, "nothing"), `process.spec.yaml:5:34: attempt must be a whole number from 1 on, not the number 0`},
		"no status":         {one("", `paused`, "{status: pausing}"), `process.spec.yaml:6:18: status cannot be the text "pausing"; there are running, paused, completed, failed, cancelled`},
		"no phase":          {one("", `paused`, "{steps: {count: complete}}"), `process.spec.yaml:6:25: a step cannot be the text "complete"; did you mean "completed"?`},
		"no then key":       {one("", `paused`, "{stauts: paused}"), `process.spec.yaml:6:10: "stauts" is no key of then; did you mean "status"?`},
		"an empty then":     {one("", `paused`, "{}"), `process.spec.yaml:6:9: then says nothing; write nothing, if nothing follows`},
		"a null then":       {one("", `paused`, ""), `process.spec.yaml:6:8: events must be a text or a list, not nothing; write what follows, one event a line`},
		"refused and more":  {one("", `paused`, "{refused: a, status: paused}"), `process.spec.yaml:6:10: what is refused has no other outcome; leave the others out`},
		"an event mapping":  {one("", `paused`, "[{a: {b: c}}]"), `process.spec.yaml:6:10: an event must be a sentence, not a mapping; put it into quotes`},
		"parts of a text":   {"inputs: {corpus: many}\nspecs: []\n", `process.spec.yaml:1:18: input "corpus" must be a number of parts, not the text "many"; write 3, or the keys: [a, a, b], or how many under each: {a: 2, b: 1}`},
		"an unknown param":  {"params: {tip: 5}\n" + one("", "paused", "nothing"), `process.spec.yaml:1:1: param "tip" is given, but not declared; did you mean "top"?`},
		"a bad param":       {"params: {top: many}\n" + one("", "paused", "nothing"), `process.spec.yaml:1:1: param "top": "many" is no number`},
		"a bad setting":     {"set: {count.timeuot: 5m}\n" + one("", "paused", "nothing"), `process.spec.yaml:1:1: `},
		"no definition":     {"definition: other.yaml\n" + one("", "paused", "nothing"), `process.spec.yaml:1:13: there is no definition`},
		"an alias to all":   {"specs: &a\n- *a\n", "it is nested too deep"},
	} {
		t.Run(name, func(t *testing.T) { require.Contains(t, faults(t, test.text), test.says) })
	}
}

func TestInputsThatDoNotFitTheDefinitionAreProblemsOfTheSpec(t *testing.T) {
	require.Equal(t, `process.spec.yaml:3:12: there is no input "corpse"; did you mean "corpus"?
process.spec.yaml:6:9: input "corpus" is not given; write inputs: {corpus: 3}
`, problems(told(t, `specs:
- name: a
  inputs: {corpse: 2}
  when: started
  then: nothing
- name: b
  when: started
  then: nothing
`)))
}

func TestHostileFilesAreRefusedInBoundedTime(t *testing.T) {
	bomb := "x: &a [1,1,1,1,1,1,1,1,1]\n"
	for i := 'b'; i < 'k'; i++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	for name, test := range map[string]struct{ text, says string }{
		"aliases of aliases": {bomb, "the file is too large"},
		"deep nesting":       {"specs: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "it is nested too deep"},
		"many values":        {"specs: [" + strings.Repeat("1,", 500_000) + "1]", "the file is too large"},
		"many parts":         {"inputs: {corpus: 2000000000}\nspecs: []\n", "has more than 10000 parts"},
		"many parts by keys": {"inputs: {corpus: {a: 9000000000000000000, b: 9000000000000000000}}\nspecs: []\n", "has more than 10000 parts"},
		"a huge index":       {one("", `{done: "count[99999999999]"}`, "nothing"), "names no tasks"},
		"many faults":        {"specs:\n" + strings.Repeat("- 1\n", 100_000), "a specification must be a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			require.Contains(t, faults(t, test.text), test.says)
			require.Less(t, time.Since(began), 10*time.Second)
		})
	}
	t.Run("a file of more than a megabyte", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a.spec.yaml")
		require.NoError(t, os.WriteFile(path, make([]byte, 1<<20+1), 0o600))
		_, _, err := file.Load(path)
		require.ErrorContains(t, err, "larger than 1 MiB: share the specifications among several files")
	})
}

func TestAFileThatMakesTooMuchWorkIsStopped(t *testing.T) {
	text := "inputs: {corpus: 10000}\nspecs:\n"
	for i := range 2000 {
		text += fmt.Sprintf("- {name: s%d, given: [{failed: count}, {failed: count}], when: {failed: count}, then: {status: running}}\n", i)
	}
	results := told(t, text)
	require.Len(t, results, 2000)
	require.Contains(t, problems(results[1990:]), "make more work than a file may; use smaller numbers, or share them among several files")
}

func TestWhatIsWrongAtTheTopIsSaidOnce(t *testing.T) {
	text := "params: {tip: 5}\ninputs: {corpus: 1}\nspecs:\n"
	for i := range 5 {
		text += fmt.Sprintf("- {name: s%d, when: started, then: {status: running}}\n", i)
	}
	require.Equal(t, `process.spec.yaml:1:1: param "tip" is given, but not declared; did you mean "top"?`, faults(t, text))
}

func TestAWantedRangeMayBeHugeAndCostsNothing(t *testing.T) {
	require.Contains(t, problems(told(t, one("", `started`, `{scheduled: "count[0-99999999]"}`))), "  want  count[0-99999999]\n  got   count[0-1]\n")
}

func FuzzAnyFileIsRefusedOrRun(f *testing.F) {
	for _, verb := range []string{
		"done: count[0-1]", "done: count\n    writes: {partial: {a: 2}}", "failed: count[0]\n    retry after: 5s", "lost: count", "timed out: count[1]",
		"retry due: count", "paused: {by: ada}", "cancelled", "restarted from: count", "retried: all", "revised: process.yaml\n    set: {count.timeout: 5m}",
	} {
		for _, then := range []string{"nothing", "|\n    process paused\n", "[count[0] scheduled]", "{status: failed, scheduled: count, data: {partial: [a]}}"} {
			f.Add([]byte("inputs: {corpus: 2}\nspecs:\n- name: a\n  given:\n  - " + verb + "\n  when:\n    done: count[1]\n  then: " + then + "\n"))
		}
	}
	path := filepath.Join(f.TempDir(), "process.spec.yaml")
	require.NoError(f, os.WriteFile(filepath.Join(filepath.Dir(path), "process.yaml"), []byte(texts), 0o600))
	f.Fuzz(func(_ *testing.T, data []byte) {
		spec, found, err := file.LoadBytes(path, data)
		if err != nil || len(found) > 0 {
			return
		}
		for _, result := range spec.Run() {
			_ = result.Spec.String()
		}
	})
}

func TestADefinitionIsNotResolvedInTooManyWays(t *testing.T) {
	big, text := "deed: v1\nname: big\nsteps:\n", "specs:\n"
	for i := range 1000 {
		big += fmt.Sprintf("  s%d: {run: t/x}\n", i)
	}
	for i := range 300 {
		text += fmt.Sprintf("- {name: s%d, set: {s0.timeout: %ds}, when: started, then: {status: running}}\n", i, i+1)
	}
	path := write(t, text)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "process.yaml"), []byte(big), 0o600))
	_, found, err := file.Load(path)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Message, "is wanted with too many different params and settings")
	require.Equal(t, 201, found[0].Line)
}
