// Package deed runs large data jobs: a process definition says which steps read
// and write which data, handlers are the functions that do the work, and deed
// does the rest: it fans out, retries, survives crashes and keeps the record.
//
// The whole of it in a Go program, with nothing installed:
//
//	handlers := worker.NewRegistry()
//	worker.Handle(handlers, "hello/greet", greet)
//	result, err := deed.Run(ctx, deed.MustParse(definition), handlers, map[string]deed.Input{"names": deed.Values("Ann", "Bo")})
//
// [Run] keeps everything in memory. [Open] keeps it in a folder, where a process
// survives the program, and where other processes join as workers; or it joins
// NATS servers, or asks a server by its API. The command deed is a thin layer over
// these two:
//
//	Parse ──► Job{Source, Inputs} ──► Runtime.Submit ──► Runtime.Wait ──► Result
//	                                        ▲                  │
//	Open(Options{Dir, Handlers}) ───────────┘                  └─► FailedError, CancelledError
//
// A submission is stored when it is answered, and the same job under the same ID is
// the same process. A task is executed at least once, and counts once: what a
// handler does beside its outputs it may do again. A definition at fault is a
// [*FaultsError] with everything that is wrong with it, an input that cannot be
// used an [*InputError], a server that does not answer an [*UnreachableError]; what
// whoever orchestrates refuses is a [*orchestrator.AnswerError].
//
// The tour: package task is the contract between the two sides; packages
// orchestrator/definition and orchestrator/process are what a process is, and
// the pure rules by which it proceeds, shown in specs/aggregate; package
// orchestrator is the shell around them; package worker is the other side;
// packages events, queue and blob are the three things they need from the
// outside world, each with its backends; package api lets others ask over HTTP.
package deed

import (
	"context"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/worker"
)

// Run executes a definition in this process, in memory, and returns its
// outputs. The error of a definition that is at fault, or that asks for a
// handler which is not among handlers, is a *FaultsError, that of a process that
// failed a *FailedError. When ctx ends, so does the process.
func Run(ctx context.Context, source *definition.Source, handlers *worker.Registry, inputs map[string]Input) (*Result, error) {
	r, err := Open(ctx, Options{Handlers: handlers})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if err := r.CheckHandlers(ctx, source); err != nil {
		return nil, err
	}
	id := NewID(source.Name.Value)
	if err := r.Submit(ctx, id, Job{Source: source, Inputs: inputs}); err != nil {
		return nil, err
	}
	return r.Wait(ctx, id, nil)
}
