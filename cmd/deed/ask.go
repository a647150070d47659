package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// answerWithin is how long the orchestrator has to answer a command.
const answerWithin = 30 * time.Second

// granted is what came of a person's command.
type granted struct {
	before, after process.State
	event         process.Event // by which it was granted; nil: it was so already
	served        bool          // somebody orchestrates it; else it is recorded for whoever does next
	executing     int           // tasks that workers had when it was sent, as far as they have said
}

// wish makes the command for a process from where that stands.
type wish func(ctx context.Context, r *deed.Runtime, s process.State, who process.Asked) (process.Command, error)

// ask finds a process and carries a command to whoever orchestrates it, or, if
// nobody does, records it. It returns when it is stored. If the server ends
// meanwhile, the same command goes to the next one, and counts once.
func (a *app) ask(ctx context.Context, given, reason string, wish wish) (granted, error) {
	var g granted
	var command process.Command
	who := process.Asked{By: person(), Reason: reason, Command: strings.ToLower(ulid.Make().String())}
	send := func(ctx context.Context, r *deed.Runtime) error {
		if command == nil {
			s, err := a.find(ctx, r, given)
			if err != nil {
				return err
			}
			g.before = s
			if command, err = wish(ctx, r, s, who); err != nil {
				return err
			}
		}
		g.served = !r.Serving
		executing := a.executing(ctx, r, g.before.ID)
		if err := a.send(ctx, r, g.before.ID, command); err != nil {
			return err
		}
		g.executing = <-executing
		var err error
		if g.event, err = orchestrator.Granted(ctx, r.Archive, g.before.ID, g.before.Version, who.Command); err == nil {
			g.after, err = orchestrator.Load(ctx, r.Archive, g.before.ID)
		}
		return err
	}
	err := a.attached(ctx, send)
	return g, err
}

// find loads the process that a person means.
func (a *app) find(ctx context.Context, r *deed.Runtime, given string) (process.State, error) {
	id, err := a.resolveID(ctx, r, given)
	if err != nil {
		return process.State{}, err
	}
	s, err := orchestrator.Load(ctx, r.Archive, id)
	if err == nil {
		err = s.Damage()
	}
	return s, err
}

func (a *app) send(ctx context.Context, r *deed.Runtime, id string, c process.Command) error {
	silent := &unservedError{fmt.Sprintf("whoever serves %s does not answer; look whether that process is stuck", a.where())}
	ctx, cancel := context.WithTimeoutCause(ctx, answerWithin, silent)
	defer cancel()
	return refusal(id, r.Command(ctx, id, c))
}

// refusal says each reason of a refusal on a line of its own.
func refusal(id string, err error) error {
	var refused *process.RefusedError
	var answer *orchestrator.AnswerError
	var text string
	var reasons []string
	switch {
	case errors.As(err, &refused):
		text, reasons = refused.Error(), refused.Differs
	case errors.As(err, &answer):
		text, reasons = answer.Text, answer.Differs
	default:
		return err
	}
	text = strings.TrimPrefix(text, fmt.Sprintf("process %q: ", id))
	text = strings.TrimSuffix(text, ": "+strings.Join(reasons, "; "))
	for _, r := range reasons {
		text += "\n  " + printable(r)
	}
	return &refusedError{id + ": " + text}
}

// executing asks, beside the command, how many tasks workers have. Nothing
// depends on the answer, so none is waited for long.
func (a *app) executing(ctx context.Context, r *deed.Runtime, id string) <-chan int {
	answer := make(chan int, 1)
	if r.Serving {
		answer <- 0
		return answer
	}
	go func() {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		n := 0
		if view, err := r.Look(ctx, id); err == nil {
			for _, q := range view.Queues {
				for _, h := range q.Held {
					n += h.Tasks.Len()
				}
			}
		}
		answer <- n
	}()
	return answer
}

// person is who sits at this terminal, as others know them.
func person() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil && host != "" {
		return name + "@" + host
	}
	return name
}

func reasonFlag(cmd *cobra.Command, reason *string) {
	cmd.Flags().StringVar(reason, "reason", "", "`TEXT` that the history keeps beside your name")
}

const whichID = "ID may be a prefix that only one process has, or @latest."
