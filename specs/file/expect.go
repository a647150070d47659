package file

import (
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

// expect makes the outcome of a specification. Tasks that are named by their
// step alone are all that it has afterwards.
func (c *course) expect(s *specs.Spec) error {
	x := c.then
	if x.refused != "" {
		s.Fails = x.refused
		return nil
	}
	after := c.state
	if events, err := process.Decide(c.state, s.When); err == nil {
		after = process.Fold(c.state, events...)
	}
	if after.Definition != nil {
		c.def = *after.Definition
	}
	places := c.places("")
	for _, address := range x.addresses() {
		if err := c.known("step", address, places); err != nil {
			return err
		}
	}
	if err := c.knownData(x.data); err != nil {
		return err
	}
	s.Outcome = &specs.Outcome{
		Events: x.events, Status: x.status, Steps: x.steps, Because: x.because,
		Scheduled: tasksOf(x.scheduled, after), Skipped: tasksOf(x.skipped, after),
	}
	if x.retries != nil {
		s.Outcome.Retries = []specs.Waiting{}
	}
	for _, w := range x.retries {
		for _, tasks := range tasksOf([]subject{w.subject}, after) {
			s.Outcome.Retries = append(s.Outcome.Retries, specs.Waiting{Tasks: tasks, For: w.wait})
		}
	}
	for _, d := range x.data {
		if s.Outcome.Data == nil {
			s.Outcome.Data = map[string]specs.Parts{}
		}
		s.Outcome.Data[d.name.Value] = d.parts.expected()
	}
	return nil
}

func (c *course) knownData(data []named) error {
	names := append([]string(nil), c.def.Inputs...)
	for _, step := range c.def.Steps {
		for _, out := range step.Out {
			names = append(names, out.Data)
		}
	}
	for _, d := range data {
		if err := c.known("data", d.name, names); err != nil {
			return err
		}
	}
	return nil
}

func tasksOf(subjects []subject, s process.State) []specs.Tasks {
	if subjects == nil {
		return nil
	}
	all := []specs.Tasks{}
	for _, sub := range subjects {
		tasks := sub.tasks
		if sub.all {
			for _, step := range s.Steps() {
				if step.Address == sub.address {
					tasks = task.Span(0, step.Tasks)
				}
			}
		}
		all = append(all, specs.Tasks{Address: sub.address, Tasks: tasks})
	}
	return all
}
