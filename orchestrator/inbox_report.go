package orchestrator

import (
	"fmt"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// longestName bounds what a report may call a worker or a step: it gets into
// events and into memory.
const longestName = 4 << 10

// results takes in a worker's report: what the core has to decide on becomes
// requests.
func (o *Owner) results(now time.Time, d *queue.Delivery, report *task.Report) ([]*request, error) {
	if report.Process != d.Key {
		return nil, fmt.Errorf("the report is of process %q but was filed under %q", report.Process, d.Key)
	}
	if len(report.Worker) > longestName {
		return nil, fmt.Errorf("the name of the worker has %d bytes", len(report.Worker))
	}
	var all []*request
	for _, r := range report.Results {
		if len(r.Address) > longestName {
			return nil, fmt.Errorf("the address of a step has %d bytes", len(r.Address))
		}
		if err := o.ofChild(d, r); err != nil {
			return nil, err
		}
		if !o.isChild(report.Process, r.Address) {
			o.feeder.measure(report.Process, r)
		}
		command, err := o.result(now, report, r)
		if err != nil {
			return nil, err
		}
		if command != nil {
			all = append(all, &request{command: command, delivery: d})
		}
	}
	return all, nil
}

// result takes in a result. It gives no command for one that is no news to the
// core: who has tasks that are still to be executed is for the shell to know.
func (o *Owner) result(now time.Time, report *task.Report, r task.Result) (process.Command, error) {
	switch r.Outcome {
	case task.Begun:
		o.children.begun(report.Process, r)
		return nil, nil
	case task.Prepared:
		o.prepared(report.Process, r)
		return nil, nil
	case task.Returned:
		o.taken.returned += r.Tasks.Len()
		o.giveBack(now, report.Process, report.Worker, r)
		return nil, nil
	case task.Unserved:
		o.taken.unserved += r.Tasks.Len()
		o.sendElsewhere(now, report.Process, report.Worker, r)
		return nil, nil
	case task.Lost:
		if r.Tasks = o.children.without(report.Process, r.Address, r.Generation, r.Attempt, r.Tasks); len(r.Tasks) == 0 {
			return nil, nil // they go on as children, whatever became of who looked up what these read
		}
	}
	return commandOf(now, report.Worker, r)
}

// commandOf is what the core has to decide on after a result.
func commandOf(now time.Time, worker string, r task.Result) (process.Command, error) {
	switch r.Outcome {
	case task.Done:
		return process.ConfirmTasks{
			Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks, Parts: r.Parts,
			Manifest: r.Manifest, Sealed: r.Sealed, Lists: r.Lists, Worker: worker, Elapsed: r.Elapsed, At: now,
		}, nil
	case task.Reused:
		return process.ReuseTasks{
			Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks, Parts: r.Parts,
			Manifest: r.Manifest, Origins: r.Origins, At: now,
		}, nil
	case task.Failed:
		f := task.Failure{Error: "the worker gave no reason", Verdict: task.Retry}
		if r.Failure != nil {
			f = *r.Failure
		}
		return process.FailTasks{
			Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks,
			Error: f.Error, Verdict: f.Verdict, After: f.After, Element: f.Element, Worker: worker, At: now,
		}, nil
	case task.Lost:
		return process.LoseTasks{
			Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks, Worker: worker, At: now,
		}, nil
	}
	return nil, fmt.Errorf("the report has a result of an unknown kind %q", r.Outcome)
}

// lateTasks is how many tasks were reported done too late to count.
func lateTasks(c process.Command, decided []process.Event) int {
	done, ok := c.(process.ConfirmTasks)
	if !ok || done.Lists != nil { // a child says again and again how it ended
		return 0
	}
	late := done.Tasks.Len()
	for _, e := range decided {
		switch e := e.(type) {
		case process.TasksConfirmed:
			if e.Address == done.Address {
				late -= e.Tasks.Len()
			}
		case process.TasksFailed: // a result that cannot be
			late -= e.Tasks.Len()
		}
	}
	return late
}
