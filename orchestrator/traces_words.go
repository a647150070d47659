package orchestrator

import (
	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// described is the name of the span of a decision, what it is about, and, of bad
// news, what happened.
func described(c process.Command) (name string, about []tracing.Attr, failed string) {
	switch c := c.(type) {
	case process.ConfirmTasks:
		about = append(aboutTasks(c.Address, c.Generation, c.Attempt, c.Tasks), tracing.Text("worker", c.Worker))
		return "confirm " + c.Address, about, ""
	case process.ReuseTasks:
		about = aboutTasks(c.Address, c.Generation, c.Attempt, c.Tasks)
		if len(c.Origins) == 1 {
			about = append(about, tracing.Text("origin", c.Origins[0].Attempt.String()))
		}
		return "reuse " + c.Address, about, ""
	case process.FailTasks:
		about = append(aboutTasks(c.Address, c.Generation, c.Attempt, c.Tasks), tracing.Text("worker", c.Worker), tracing.Text("verdict", string(c.Verdict)))
		return "fail " + c.Address, about, c.Error
	case process.LoseTasks:
		about = append(aboutTasks(c.Address, c.Generation, c.Attempt, c.Tasks), tracing.Text("worker", c.Worker))
		return "lose " + c.Address, about, "the worker that held it is presumed dead"
	case process.TryTimeoutTask:
		about = append(aboutTasks(c.Address, c.Generation, c.Attempt, task.Span(c.Index, 1)), tracing.Text("worker", c.Worker))
		return "time out " + c.Address, about, "it ran for " + c.Elapsed.String()
	case process.FireTimer:
		return "retry " + c.Address, aboutTasks(c.Address, c.Generation, c.Attempt, c.Tasks), ""
	case process.FireDeadline:
		return "deadline", nil, "the process took longer than it may"
	}
	return askedFor(c), nil, ""
}

// askedFor is what a person asks for, in a word or two.
func askedFor(c process.Command) string {
	switch c := c.(type) {
	case process.StartProcess:
		return "start " + c.Definition.Name
	case process.CancelProcess:
		return "cancel"
	case process.PauseProcess:
		return "pause"
	case process.ResumeProcess:
		return "resume"
	case process.RetryTasks:
		return "retry tasks"
	case process.RestartFrom:
		return "restart from " + c.Address
	case process.ReviseProcess:
		return "revise"
	}
	return "command"
}

// tracedText bounds the list of tasks that a span has.
const tracedText = 200

func aboutTasks(address string, generation, attempt int, tasks task.Ranges) []tracing.Attr {
	about := []tracing.Attr{
		tracing.Text("address", address), tracing.Number("generation", generation), tracing.Number("attempt", attempt),
		tracing.Number("count", tasks.Len()),
	}
	if tasks.Len() == 1 {
		return append(about, tracing.Number("index", tasks[0].First))
	}
	text := tasks.String()
	if len(text) > tracedText {
		text = text[:tracedText] + "…"
	}
	return append(about, tracing.Text("tasks", text))
}

// plainly is the name under which an event shows in the span of its decision;
// "" for those that say no more than the span.
func plainly(e process.Event) string {
	switch e.(type) {
	case process.TasksRetryPlanned:
		return "retry planned"
	case process.TasksSkipped:
		return "tasks skipped"
	case process.StepStarted:
		return "step started"
	case process.StepCompleted:
		return "step completed"
	case process.ProcessCompleted:
		return "process completed"
	case process.ProcessFailed:
		return "process failed"
	case process.ProcessDeadlineMissed:
		return "deadline missed"
	case process.ProcessCancelled:
		return "process cancelled"
	case process.ProcessRestarted:
		return "process restarted"
	case process.ProcessRevised:
		return "process revised"
	}
	return ""
}
