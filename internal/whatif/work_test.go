package whatif_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestAStepThatIsAddedWouldRunWithAnUnknownResult(t *testing.T) {
	s := begin(t, album(), 1)
	s.done(1, "shrink", 1, 0)
	s.done(2, "bind", 1, 0)
	r := s.under(func(d definition.Definition) (definition.Definition, error) {
		d.Steps = append(append([]definition.Step(nil), d.Steps...), definition.Step{Address: "index", Run: task.Run{Handler: "photo/index"}, In: names("small")})
		return d, nil
	})
	require.Equal(t, []string{"step index is new"}, r.Changes)
	require.EqualValues(t, 8, r.Divergence.Event)
	require.Empty(t, r.Divergence.Recorded)
	require.Equal(t, []string{"index started: 1 task", "index[0] scheduled"}, r.Divergence.Instead)
	require.Equal(t, []string{"index[0]"}, tasks(r.Unknown))
	require.Equal(t, process.Running, r.Instead.Status)
}

func TestAStepThatIsTakenOutLeavesItsResultsWithoutMeaning(t *testing.T) {
	s := begin(t, album(), 1)
	s.done(1, "shrink", 1, 0)
	s.done(2, "bind", 1, 0)
	r := s.under(func(d definition.Definition) (definition.Definition, error) {
		d.Steps, d.Outputs = d.Steps[:1], nil
		return d, nil
	})
	require.Equal(t, []string{"bind[0]"}, tasks(r.Fewer))
	require.Equal(t, 1, r.LeftOut)
	require.Equal(t, process.Completed, r.Instead.Status)
	require.Equal(t, after(1), r.Instead.At)
}

func TestAStepThatDoesOtherWorkHasUnknownResults(t *testing.T) {
	s := begin(t, album(), 1)
	s.done(1, "shrink", 1, 0)
	s.done(2, "bind", 1, 0)
	r := s.under(func(d definition.Definition) (definition.Definition, error) {
		d.Steps = append([]definition.Step(nil), d.Steps...)
		d.Steps[1].Run.Handler = "photo/glue"
		return d, nil
	})
	require.Empty(t, r.Divergence.Instead)
	require.Equal(t, "bind does other work: run is photo/glue instead of photo/bind", r.Divergence.Why)
	require.Equal(t, []string{"bind[0]: bind does other work: run is photo/glue instead of photo/bind"}, tasks(r.Unknown))
}

func TestAChangedFileMakesUnknownWhatTheStepsDoThatNameIt(t *testing.T) {
	def := album()
	def.Steps[1].Run = task.Run{Command: []string{"python3", "bind.py"}}
	def.Files = []task.File{{Name: "bind.py", Ref: task.Ref{Key: "1", SHA256: "01"}}, {Name: "notes.txt", Ref: task.Ref{Key: "2", SHA256: "02"}}}
	s := begin(t, def, 1)
	s.done(1, "shrink", 1, 0)
	s.done(2, "bind", 1, 0)
	with := func(sum, other string) []string {
		return tasks(s.under(func(d definition.Definition) (definition.Definition, error) {
			d.Files = []task.File{{Name: "bind.py", Ref: task.Ref{Key: "3", SHA256: sum}}, {Name: other, Ref: task.Ref{Key: "4", SHA256: "02"}}}
			return d, nil
		}).Unknown)
	}
	require.Equal(t, []string{"bind[0]: bind does other work: the file bind.py, which it names, is another"}, with("03", "notes.txt"))
	require.Empty(t, with("01", "notes.txt"))
	require.Empty(t, with("01", "new.txt"), "nobody names it")
}

func TestOtherParametersAreTakenToChangeNoResultAndTheReportSaysSo(t *testing.T) {
	s := begin(t, album(), 1)
	s.done(1, "shrink", 1, 0)
	r := s.under(func(d definition.Definition) (definition.Definition, error) {
		d.Params = map[string]json.RawMessage{"quality": json.RawMessage(`80`)}
		return d, nil
	})
	require.Nil(t, r.Divergence)
	require.Contains(t, r.Notes, "results are taken to be the same under other parameters (quality): what a handler makes of them is not known here")
}

func TestResultsThatWereReusedAreReusedWhenTheirTasksAreScheduled(t *testing.T) {
	s := begin(t, album(), 3)
	small := func(i int) []task.Produced {
		return []task.Produced{{Index: i, Data: "small", Part: task.Part{Value: json.RawMessage("1")}}}
	}
	s.tell(process.ReuseTasks{Address: "shrink", Attempt: 1, Tasks: task.Of(2), Parts: small(2), At: after(1)})
	s.done(2, "shrink", 1, 0, 1)
	s.done(3, "bind", 1, 0)
	r := s.replay("shrink.parallelism", "1")
	require.Empty(t, r.Refused, "no person asked for it")
	require.Empty(t, r.Unknown)
	require.Zero(t, r.LeftOut)
	require.Equal(t, process.Completed, r.Instead.Status)
}

// family is an album whose photos are shrunk by a process each.
func family() definition.Definition {
	def := album()
	def.Steps[0].Run, def.Steps[0].Process = task.Run{}, &definition.Definition{
		Name: "shrink", Inputs: []string{"photos"}, Outputs: []string{"small"},
		Steps: []definition.Step{{Address: "one", Run: task.Run{Handler: "photo/shrink"}, In: names("photos"), Out: definition.Outputs(names("small")...)}},
	}
	return def
}

func TestChildrenThatNobodyStartedAreUnknown(t *testing.T) {
	r := spoiled(t, family()).replay("shrink.retry.attempts", "5")
	require.Equal(t, []string{"shrink[1] attempt 4"}, tasks(r.More))
	require.Equal(t, []string{"shrink[1] attempt 4"}, tasks(r.Unknown))
	require.Empty(t, r.Notes)
}

func TestWhatChildrenWouldHaveDoneIsNotTold(t *testing.T) {
	r := spoiled(t, family()).replay("shrink/one.retry.attempts", "5")
	require.Nil(t, r.Divergence)
	require.Equal(t, []string{"what happens in children is not replayed: those of shrink are told as if they had ended as they did"}, r.Notes)
}
