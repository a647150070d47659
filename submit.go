package deed

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/deedrun/deed/orchestrator/process"
)

// Submit imports the inputs of a job and starts it under an ID, which makes it
// idempotent: the same job under the same ID again attaches to the process
// that is there. It returns when the process is stored. For a job that differs
// the error is a *orchestrator.AnswerError.
func (r *Runtime) Submit(ctx context.Context, id string, job Job) error {
	start, err := r.Prepare(ctx, id, job, nil)
	if err != nil {
		return err
	}
	_, err = r.Start(ctx, start)
	return err
}

// Prepare stores the inputs of a job and fills in its definition: what is left
// is to Start it. progress, if not nil, hears of files as they are stored.
func (r *Runtime) Prepare(ctx context.Context, id string, job Job, progress func(name string, done, total int, bytes int64)) (process.StartProcess, error) {
	def, err := r.resolve(ctx, job)
	if err != nil {
		return process.StartProcess{}, err
	}
	if err := checkInputs(def, job.Inputs); err != nil { // before anything large is copied
		return process.StartProcess{}, err
	}
	data, err := r.importInputs(ctx, def, job.Inputs, progress)
	if err != nil {
		return process.StartProcess{}, err
	}
	return process.StartProcess{ID: id, Definition: def, Inputs: data, Asked: process.Asked{By: job.By}}, nil
}

// NewID is a new ID for a process, readable and short: the name and six
// random characters.
func NewID(name string) string {
	const most = 57
	name = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' {
			return c
		}
		return '-'
	}, name)
	if len(name) > most {
		name = name[:most]
	}
	return name + "-" + strings.ToLower(rand.Text()[:6])
}
