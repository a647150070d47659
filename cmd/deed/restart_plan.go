package main

import (
	"fmt"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// restartPlan is what a restart would do.
type restartPlan struct {
	ID      string        `json:"id"`
	From    string        `json:"from"`
	Anew    []stepAnew    `json:"anew"`
	Retried []retriedStep `json:"retried,omitempty"` // that failed elsewhere, and come along
	Kept    []keptStep    `json:"kept"`
	paused  bool
}

// stepAnew is a step that begins anew. Then is how many tasks it will have, if
// that is known before its upstream has run; Over is what decides it if not.
type stepAnew struct {
	Address    string `json:"address"`
	Generation int    `json:"generation"`
	Tasks      int    `json:"tasks"`
	Done       int    `json:"done"`
	Then       *int   `json:"then,omitempty"`
	Over       string `json:"over,omitempty"`
}

type retriedStep struct {
	Address string      `json:"address"`
	Tasks   task.Ranges `json:"tasks"`
}

type keptStep struct {
	Address string `json:"address"`
	Phase   string `json:"phase"`
	Tasks   int    `json:"tasks"`
	Done    int    `json:"done"`
	Skipped int    `json:"skipped,omitempty"`
	Parts   int    `json:"parts"`
	Bytes   int64  `json:"bytes"`
}

// planOf decides on a restart and looks at what follows from it; nothing is stored.
func planOf(s process.State, c process.RestartFrom) (restartPlan, error) {
	decided, err := process.Decide(s, c)
	if err != nil {
		return restartPlan{}, err
	}
	p := restartPlan{ID: s.ID, From: c.Address, Kept: []keptStep{}, paused: s.Status == process.Paused}
	var restarted process.ProcessRestarted
	for _, e := range decided {
		if r, ok := e.(process.ProcessRestarted); ok {
			restarted = r
		}
	}
	for _, t := range restarted.Tasks {
		p.Retried = append(p.Retried, retriedStep{Address: t.Address, Tasks: t.Tasks})
	}
	after := process.Fold(s, decided...)
	generations := map[string]int{}
	for _, b := range restarted.Steps {
		generations[b.Address] = b.Generation
	}
	then := after.Steps()
	for i, was := range s.Steps() {
		generation, anew := generations[was.Address]
		switch {
		case anew:
			step := stepAnew{Address: was.Address, Generation: generation, Tasks: was.Tasks, Done: was.Confirmed}
			step.Then, step.Over = tasksThen(s.Definition.Steps[i], then[i])
			p.Anew = append(p.Anew, step)
		case was.Phase != "waiting":
			p.Kept = append(p.Kept, kept(was))
		}
	}
	return p, nil
}

// tasksThen is how many tasks a step will have: known if it can begin at once,
// or if its definition says so; else it follows from the data in over.
func tasksThen(step definition.Step, then process.Progress) (n *int, over string) {
	known := func(n int) (*int, string) { return &n, "" }
	switch {
	case then.Phase != "waiting":
		return known(then.Tasks)
	case step.Each == nil:
		return known(1)
	case step.Each.Into > 0:
		return known(step.Each.Into)
	case step.Each.ByKey:
		return nil, "one a key of " + step.Each.Data
	}
	return nil, "one a part of " + step.Each.Data
}

func kept(p process.Progress) keptStep {
	k := keptStep{Address: p.Address, Phase: p.Phase, Tasks: p.Tasks, Done: p.Confirmed, Skipped: p.Skipped}
	for _, d := range p.Data {
		k.Parts += d.Count
		k.Bytes += d.Bytes
	}
	return k
}

func (a *app) printPlan(p restartPlan) error {
	fmt.Fprintf(a.stdout, "a restart of %s from %s (nothing is sent: --dry-run)\n\n", p.ID, p.From)
	rows := [][]string{{"STEP", "DONE NOW", "WOULD RUN", "AS"}}
	for _, s := range p.Anew {
		then := s.Over
		if s.Then != nil {
			then = amount.Of(*s.Then, "task")
		}
		rows = append(rows, []string{s.Address, fmt.Sprintf("%d/%d", s.Done, s.Tasks), then, fmt.Sprintf("generation %d", s.Generation)})
	}
	for _, r := range p.Retried {
		rows = append(rows, []string{r.Address, "failed", r.Address + "[" + r.Tasks.String() + "]", "retry"})
	}
	for _, k := range p.Kept {
		what := "nothing"
		if k.Phase != "completed" {
			what = "the rest"
		}
		rows = append(rows, []string{
			k.Address, fmt.Sprintf("%d/%d", k.Done, k.Tasks), what, fmt.Sprintf("kept: %s, %s", amount.Of(k.Parts, "part"), amount.Bytes(k.Bytes)),
		})
	}
	if err := a.table(rows); err != nil {
		return err
	}
	if p.paused {
		_, err := fmt.Fprintf(a.stdout, "\nit is paused: all of it would wait for %s\n", a.commandLine("resume", p.ID))
		return err
	}
	return nil
}
