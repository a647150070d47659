package deed

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// Command carries a person's command to whoever orchestrates the process, and
// returns when what follows is stored. A runtime that has the data for itself
// and does not orchestrate ([Options.ReadOnly], Serving) records it instead:
// nothing runs there, and whoever serves the data next carries it out. A
// refusal is a *orchestrator.AnswerError.
func (r *Runtime) Command(ctx context.Context, id string, c process.Command) error {
	if !r.Serving || !r.options.ReadOnly {
		_, err := r.Send(ctx, id, c)
		return err
	}
	_, err := orchestrator.Record(ctx, r.Events, id, time.Now(), c)
	var refused *process.RefusedError
	if errors.As(err, &refused) {
		return &orchestrator.AnswerError{Text: refused.Error(), Differs: refused.Differs}
	}
	return err
}

// Revision is the command that gives a running process the definition of a job,
// with the values that its parameters have now, except those that the job
// gives. What the job says about inputs is not looked at: they stay.
func (r *Runtime) Revision(ctx context.Context, s process.State, job Job) (process.ReviseProcess, error) {
	params := map[string]string{}
	for _, p := range job.Source.Params {
		if value, has := s.Definition.Params[p.Name.Value]; has {
			params[p.Name.Value] = plainValue(value)
		}
	}
	maps.Copy(params, job.Params)
	job.Params = params
	def, err := r.resolve(ctx, job)
	if err != nil {
		return process.ReviseProcess{}, err
	}
	return process.ReviseProcess{Definition: def, Base: s.Hash}, nil
}

// plainValue is the value of a parameter as it is given on a command line.
func plainValue(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
