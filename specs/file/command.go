package file

import (
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// command is what happens, as the core hears of it.
func (c *course) command(h happening, start process.StartProcess) (process.Command, error) {
	if err := c.spend(c.size()); err != nil {
		return nil, err
	}
	if h.subject.address != "" {
		if err := c.known("step", definition.Text{Value: h.subject.address, Pos: h.subject.Pos}, c.places(h.verb)); err != nil {
			return nil, err
		}
	}
	now, err := c.clock(h)
	if err != nil {
		return nil, err
	}
	c.now = now
	asked := process.Asked{By: h.by, Reason: h.because}
	switch h.verb {
	case "started":
		start.At = now
		return start, nil
	case "deadline":
		return process.FireDeadline{At: now}, nil
	case "paused":
		return process.PauseProcess{Asked: asked, At: now}, nil
	case "resumed":
		return process.ResumeProcess{Asked: asked, At: now}, nil
	case "cancelled":
		return process.CancelProcess{Asked: asked, At: now}, nil
	case "retried":
		if err := c.spend(c.atMost(h.subject.address, h.subject.tasks)); err != nil {
			return nil, err
		}
		return process.RetryTasks{Address: h.subject.address, Tasks: h.subject.tasks, Asked: asked, At: now}, nil
	case "restarted from":
		return process.RestartFrom{Address: h.subject.address, Asked: asked, At: now}, nil
	case "revised":
		def, err := c.revised(h)
		if err != nil {
			return nil, err
		}
		c.def = def
		return process.ReviseProcess{Definition: def, Asked: asked, At: now}, nil
	}
	return c.report(h)
}

// size is what it costs to look at the whole process: by steps, and by tasks,
// which are cheaper.
func (c *course) size() int {
	n := len(c.def.Steps)
	for _, step := range c.state.Steps() {
		n += step.Tasks / 4
	}
	return n
}

// atMost is how many of the tasks there can be at an address: the core refuses
// more without looking at them.
func (c *course) atMost(address string, tasks task.Ranges) int {
	most := 0
	for _, step := range c.state.Steps() {
		if step.Address == address {
			most = step.Tasks
		}
	}
	return min(tasks.Len(), most)
}

// report is what a worker or a timer says of tasks. What is not written is as
// things stand: the generation, the attempt, all tasks that are open.
func (c *course) report(h happening) (process.Command, error) {
	address := h.subject.address
	generation := c.state.Generation(address)
	if h.generation != nil {
		generation = *h.generation
	}
	tasks := h.subject.tasks
	if h.subject.all {
		if tasks = c.outstanding(address, h.verb == "retry due"); len(tasks) == 0 {
			return nil, at(h.Pos, "%s has no open tasks; name those that it is about", address)
		}
	}
	if err := c.spend(c.atMost(address, tasks)); err != nil {
		return nil, err
	}
	attempt, err := c.attempt(h, tasks)
	if err != nil {
		return nil, err
	}
	switch h.verb {
	case "failed":
		return process.FailTasks{
			Address: address, Generation: generation, Attempt: attempt, Tasks: tasks,
			Error: h.error, Verdict: h.verdict, After: task.Duration(h.retryAfter), At: c.now,
		}, nil
	case "lost":
		return process.LoseTasks{Address: address, Generation: generation, Attempt: attempt, Tasks: tasks, At: c.now}, nil
	case "retry due":
		return process.FireTimer{Address: address, Generation: generation, Attempt: attempt, Tasks: tasks, At: c.now}, nil
	case "timed out":
		if tasks.Len() != 1 {
			return nil, at(h.Pos, "%s: the timeout manager asks about one task at a time", h.subject.Value)
		}
		return process.TryTimeoutTask{
			Address: address, Generation: generation, Attempt: attempt, Index: tasks[0].First,
			Elapsed: task.Duration(c.state.Timeout(address)), At: c.now,
		}, nil
	}
	done := process.ConfirmTasks{Address: address, Generation: generation, Attempt: attempt, Tasks: tasks, At: c.now}
	return c.withOutputs(done, h)
}

// outstanding are the tasks that are at workers, or those that wait for a retry.
func (c *course) outstanding(address string, planned bool) task.Ranges {
	var all task.Ranges
	for _, effect := range c.state.Outstanding() {
		switch e := effect.(type) {
		case process.Enqueue:
			if e.Address == address && !planned {
				all = all.Union(e.Tasks)
			}
		case process.SetTimer:
			if e.Address == address && planned {
				all = all.Union(e.Tasks)
			}
		}
	}
	return all
}

// attempt is the one that a report is about: for a task that waits for its
// retry the one before, and the planned one where the retry is due.
func (c *course) attempt(h happening, tasks task.Ranges) (int, error) {
	if h.attempt != nil {
		return *h.attempt, nil
	}
	isTimer := h.verb == "retry due"
	found, first := 0, 0
	left := tasks
	for _, effect := range c.state.Outstanding() {
		var of task.Ranges
		attempt := 0
		switch e := effect.(type) {
		case process.Enqueue:
			if e.Address == h.subject.address && !isTimer {
				of, attempt = e.Tasks, e.Attempt
			}
		case process.SetTimer:
			if e.Address == h.subject.address {
				of, attempt = e.Tasks, e.Attempt
				if !isTimer {
					attempt--
				}
			}
		}
		rest := left.Minus(of)
		if rest.Len() == left.Len() {
			continue
		}
		if here := left.Minus(rest)[0].First; found != 0 && found != attempt {
			return 0, at(h.Pos, "%s[%d] is at attempt %d and %s[%d] at attempt %d; tell of them one after the other",
				h.subject.address, first, found, h.subject.address, here, attempt)
		} else if found == 0 {
			found, first = attempt, here
		}
		left = rest
	}
	switch {
	case found > 0:
		return found, nil
	case isTimer:
		return 2, nil // there is none; it was the first retry, if there ever was one
	}
	return 1, nil
}

// due is when the last of these tasks has its retry.
func (c *course) due(s subject) time.Time {
	var last time.Time
	for _, effect := range c.state.Outstanding() {
		timer, ok := effect.(process.SetTimer)
		if !ok || timer.Address != s.address {
			continue
		}
		if (s.all || s.tasks.Minus(timer.Tasks).Len() < s.tasks.Len()) && timer.Due.After(last) {
			last = timer.Due
		}
	}
	return last
}

// places are the addresses that something may happen to.
func (c *course) places(verb string) []string {
	var all []string
	groups := map[string]bool{}
	for _, step := range c.def.Steps {
		if verb == "restarted from" || verb == "retried" {
			for i, letter := range step.Address {
				if group := step.Address[:i]; letter == '/' && !groups[group] {
					groups[group] = true
					all = append(all, group)
				}
			}
		}
		all = append(all, step.Address)
	}
	for _, step := range c.def.Steps {
		for _, out := range step.Out {
			all = append(all, process.SealPrefix+out.Data)
		}
	}
	return all
}
