package definition_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

func TestSameWorkIsWhatAStepDoesNotHowItIsTried(t *testing.T) {
	script := strings.Repeat("x", 100)
	for name, tc := range map[string]struct {
		change func(s *definition.Step)
		want   []string
	}{
		"nothing": {func(*definition.Step) {}, nil},
		"its settings": {func(s *definition.Step) {
			s.Timeout, s.Parallelism, s.Retry, s.Tolerate.All = 1e9, 4, definition.Retry{}, true
			s.Pool, s.Needs, s.Rate = "gpu", task.Resources{CPU: 1}, definition.Rate{Count: 1, Per: 1e9}
		}, nil},
		"another version":  {func(s *definition.Step) { s.Run.Handler += "@2" }, []string{"run is words/merge@2 instead of words/merge"}},
		"a script instead": {func(s *definition.Step) { s.Run = task.Run{Shell: "words/merge"} }, []string{`run is "words/merge" instead of words/merge`}},
		"other buckets":    {func(s *definition.Step) { s.Each.Into = 9 }, []string{"each is [partial] by key into 9 instead of [partial] by key into 8"}},
		"no fan-out":       {func(s *definition.Step) { s.Each = nil }, []string{"each is none instead of [partial] by key into 8"}},
		"more to read":     {func(s *definition.Step) { s.In = []definition.Binding{binding("corpus")} }, []string{"in is [corpus] instead of []"}},
		"another local name": {func(s *definition.Step) {
			s.Out = definition.Outputs(definition.Binding{Local: "sums", Data: "totals"})
		}, []string{"out is [sums: totals] instead of [totals]"}},
		"another predecessor":  {func(s *definition.Step) { s.After = []string{"a", "c"} }, []string{"after is [a, c] instead of [a, b]"}},
		"predecessors reorder": {func(s *definition.Step) { s.After = []string{"b", "a"} }, nil},
		"several at a time":    {func(s *definition.Step) { s.Each, s.After = nil, nil }, []string{"each is none instead of [partial] by key into 8", "after is [] instead of [a, b]"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := resolve(t, wordCount(t), nil, nil).Steps[1], resolve(t, wordCount(t), nil, nil).Steps[1]
			a.After, b.After = []string{"a", "b"}, []string{"a", "b"}
			tc.change(&b)
			assert.Equal(t, tc.want, definition.SameWork(a, b))
		})
	}
	t.Run("rounds", func(t *testing.T) {
		repeat := func(max int, until string) definition.Step {
			s := definition.Step{Repeat: &definition.Repeat{Max: max}}
			if until != "" {
				s.Repeat.Until = &definition.Condition{Text: until}
			}
			return s
		}
		assert.Empty(t, definition.SameWork(repeat(3, "done"), repeat(9, "done")), "a bound")
		assert.Equal(t, []string{"repeat is {max: 9} instead of {max: 3}"}, definition.SameWork(repeat(3, ""), repeat(9, "")), "the number of rounds")
		assert.Equal(t, []string{"repeat is {until: empty, max: 9} instead of {until: done, max: 9}"}, definition.SameWork(repeat(3, "done"), repeat(9, "empty")))
		assert.Equal(t, []string{"repeat is {until: done, max: 9} instead of {max: 3}"}, definition.SameWork(repeat(3, ""), repeat(9, "done")))
		assert.Equal(t, []string{"step pages: max of its repeat 9, was 3"}, definition.Diff(
			definition.Definition{Steps: []definition.Step{at("pages", repeat(3, "done"))}}, definition.Definition{Steps: []definition.Step{at("pages", repeat(9, "done"))}}))
	})
	t.Run("scripts that begin the same", func(t *testing.T) {
		a, b := definition.Step{Run: task.Run{Shell: script + "1"}}, definition.Step{Run: task.Run{Shell: script + "2"}}
		assert.Equal(t, []string{`run is another (the beginning is the same: "` + script[:79] + `…)`}, definition.SameWork(a, b))
	})
}

func at(address string, s definition.Step) definition.Step {
	s.Address = address
	return s
}

func TestAStepNamesAFileByItsPathOrItsLastWord(t *testing.T) {
	command := func(words ...string) task.Run { return task.Run{Command: words} }
	for _, tc := range []struct {
		run   task.Run
		file  string
		names bool
	}{
		{command("python3", "count.py"), "count.py", true},
		{command("python3", "--script=./lib/count.py"), "lib/count.py", true},
		{command("sh", "-c", "cd lib && python3 count.py"), "lib/count.py", true},
		{command("awk", "-fcount.awk"), "count.awk", true},
		{command("awk", "-f", "recount.awk"), "count.awk", false},
		{command("python3", "my-recount.py"), "count.py", false},
		{command("python3", "count.pyc"), "count.py", false},
		{command("python3", "recount.py", "count.py"), "count.py", true},
		{command("sh", "-c", "recount.py; count.py"), "count.py", true},
		{task.Run{Shell: "source env.sh\nrun"}, "env.sh", true},
		{task.Run{Shell: `"$PWD/env.sh"`}, "env.sh", true},
		{task.Run{Shell: "échoenv.sh éenv.sh"}, "env.sh", false},
		{task.Run{Shell: "run"}, "env.sh", false},
		{task.Run{Handler: "count.py"}, "count.py", false},
		{command("ls"), "", false},
		{task.Run{}, "count.py", false},
	} {
		assert.Equal(t, tc.names, definition.Step{Run: tc.run}.NamesFile(tc.file), "%v names %s", tc.run, tc.file)
	}
}
