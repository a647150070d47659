package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func (a *app) why() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "why ID [ADDRESS | ADDRESS[INDEX]]",
		Short: "Explain why something does not run, or ran more than once",
		Long: `Why says of a task, a step or a process where it stands, what it waits for, what
became of each attempt, and what you can do about it. That is told by the history
of the process alone; if somebody serves the folder, he is asked as well which
worker has the task right now, or how many others are before it.

` + whichID,
		Example: "  deed why @latest\n  deed why word-count-x7 merge\n  deed why word-count-x7 'count[3]'",
		Args:    between("ID and perhaps an ADDRESS", 1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			address, index := "", -1
			if len(args) == 2 {
				var err error
				if address, index, err = parseTask(args[1]); err != nil {
					return err
				}
			}
			var answer whyJSON
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) (err error) {
				answer, err = a.explain(ctx, r, args[0], address, index)
				return err
			})
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(answer)
			}
			a.printWhy(answer)
			return nil
		},
	}
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// parseTask reads "count" as the step, index -1, and "count[3]" as a task of it.
func parseTask(text string) (address string, index int, err error) {
	address, tasks, err := parseTasks(text)
	switch {
	case err != nil:
		return "", 0, err
	case tasks == nil:
		return address, -1, nil
	case tasks.Len() > 1:
		return "", 0, usagef("%q: give one task, such as %s[%d]", text, address, tasks[0].First)
	}
	return address, tasks[0].First, nil
}

// whyJSON is what `why -o json` prints.
type whyJSON struct {
	process.Explanation
	Now    []string                  `json:"now,omitempty"`    // what an orchestrator sees right now
	Where  *orchestrator.Whereabouts `json:"where,omitempty"`  // of an open task
	Served bool                      `json:"served"`           // an orchestrator was there to be asked
	CanDo  []remedy                  `json:"canDo,omitempty"`  // what a person can do
	Status process.Status            `json:"status,omitempty"` // of the process
	Child  string                    `json:"child,omitempty"`  // the process that a task is
}

// explain folds the history once for the state, and once more for the story.
func (a *app) explain(ctx context.Context, r *deed.Runtime, given, address string, index int) (whyJSON, error) {
	s, err := a.find(ctx, r, given)
	if err != nil {
		return whyJSON{}, err
	}
	var story []process.Event
	for e, err := range orchestrator.History(ctx, r.Archive, s.ID) {
		if err != nil {
			return whyJSON{}, err
		}
		if e.Version > s.Version {
			break
		}
		event, err := process.Decode(process.Stored(e.Record))
		if err == nil && process.Concerns(event, address, index) {
			story = append(story, event)
		}
	}
	why, err := process.Why(s, address, index, story, time.Now())
	if err != nil {
		return whyJSON{}, &notFoundError{err.Error()}
	}
	answer := whyJSON{Explanation: why, Status: s.Status, Served: !r.Serving}
	if err := a.lookAtChildren(ctx, r, s, &answer); err != nil {
		return answer, err
	}
	if !s.Ended() && answer.Child == "" {
		a.lookNow(ctx, r, s, &answer)
	}
	answer.CanDo = a.remedies(answer)
	return answer, nil
}

// notCertain is what a view says that has just begun.
const notCertain = "not certain yet: the orchestrator has not listened to the workers for a whole lease"

// lookWithin is how long the orchestrator has to say what it sees.
const lookWithin = 5 * time.Second

// lookNow adds what an orchestrator sees right now.
func (a *app) lookNow(ctx context.Context, r *deed.Runtime, s process.State, answer *whyJSON) {
	if r.Serving {
		answer.Now = []string{fmt.Sprintf("nobody serves %s: nothing of it runs", a.where())}
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	view, err := r.Look(ctx, s.ID)
	if err != nil {
		answer.Served = false
		answer.Now = []string{"whoever serves " + a.where() + " does not answer: it may be stuck, or of an older version"}
		return
	}
	if answer.Index >= 0 {
		a.lookForTask(ctx, r, s, view, answer)
		return
	}
	for _, step := range s.Steps() {
		if answer.Address != "" && answer.Address != step.Address || step.Phase != "running" {
			continue
		}
		if text, unserved := view.Unserved(s.Handler(step.Address)); unserved {
			answer.Now = append(answer.Now, step.Address+": "+text)
		}
		if text, refused := view.Refusal(s.ID, step.Address); refused {
			answer.Now = append(answer.Now, text)
		}
		if text := executing(view, step.Address); text != "" {
			answer.Now = append(answer.Now, text)
		}
	}
	if len(view.Workers) == 0 {
		answer.Now = append(answer.Now, "no worker is there")
	}
}

func (a *app) lookForTask(ctx context.Context, r *deed.Runtime, s process.State, view orchestrator.View, answer *whyJSON) {
	switch answer.Standing {
	case process.IsScheduled, process.IsPaused, process.IsRetrying: // an older attempt at it may still be executed
	default:
		return
	}
	at := task.Attempt{Process: s.ID, Address: answer.Address, Generation: answer.Generation, Index: answer.Index, Attempt: answer.Attempt}
	where := view.Find(view, at, s.Handler(answer.Address))
	if where.Place == orchestrator.Queued || where.Place == orchestrator.Unsent { // what is before it may be of others
		if all, err := r.Look(ctx, ""); err == nil {
			where = view.Find(all, at, s.Handler(answer.Address))
		}
	}
	if answer.Standing != process.IsScheduled && where.Worker == "" {
		return
	}
	answer.Where, answer.Now = &where, append(answer.Now, where.Text)
	if !where.Certain && where.Worker == "" {
		answer.Now = append(answer.Now, notCertain)
	}
}

// executing says how many tasks of a step are being executed, and which the longest.
func executing(view orchestrator.View, address string) string {
	n := 0
	var longest orchestrator.RunningTask
	for _, t := range view.Running {
		if t.Address == address && !t.Stale {
			if n++; n == 1 {
				longest = t
			}
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s being executed, %s[%d] the longest, for %s by worker %s", address,
		map[bool]string{true: "1 task is", false: fmt.Sprintf("%d tasks are", n)}[n == 1], address, longest.Index, duration(time.Duration(longest.Elapsed)), longest.Worker)
}
