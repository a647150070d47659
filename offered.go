package deed

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
)

// workersSpeak is how long it takes at most until a server that has just
// started knows its workers: they speak once a second.
const workersSpeak = 3 * time.Second

// CheckHandlers finds the handlers of a definition that nobody offers: neither
// this runtime, nor, if it joined a server, a worker of that. They are a
// *FaultsError. A worker that offers them may come later; until then their tasks
// would wait.
func (r *Runtime) CheckHandlers(ctx context.Context, source *definition.Source) error {
	missing := r.notOffered(source)
	if len(missing) == 0 {
		return nil
	}
	offered := r.offeredHere()
	if !r.Serving {
		elsewhere, known := r.handlersElsewhere(ctx, missing)
		if !known { // then nothing speaks against it
			return context.Cause(ctx)
		}
		offered = append(offered, elsewhere...)
	}
	slices.Sort(offered)
	offered = slices.Compact(offered)
	var faults []definition.Fault
	var spell definition.Speller
	for _, run := range missing {
		if slices.Contains(offered, run.handler.Value) {
			continue
		}
		hint := spell.Hint(run.handler.Value, offered)
		switch {
		case len(offered) == 0:
			hint = "no handler is offered at all"
		case hint == "":
			hint = "offered are " + strings.Join(offered[:min(len(offered), 10)], ", ")
		}
		faults = append(faults, definition.Fault{
			Pos: run.handler.Pos, Address: run.address, Code: "unoffered-handler", Hint: hint,
			Message: "no worker offers the handler " + `"` + run.handler.Value + `"`,
		})
	}
	if len(faults) > 0 {
		return &FaultsError{Faults: faults}
	}
	return nil
}

// Offered lists the handlers that are offered now, here or by workers. Where nobody
// answers, that is those here.
func (r *Runtime) Offered(ctx context.Context) []string {
	offered := r.offeredHere()
	if r.Serving && r.options.ReadOnly {
		return offered // nobody orchestrates, who could answer
	}
	ctx, stop := context.WithTimeout(ctx, workersSpeak)
	defer stop()
	if view, err := r.Look(ctx, ""); err == nil {
		offered = append(offered, handlersOf(view)...)
	}
	return offered
}

func (r *Runtime) offeredHere() []string {
	if r.options.Handlers == nil {
		return nil
	}
	return r.options.Handlers.Names()
}

func handlersOf(view orchestrator.View) (offered []string) {
	for _, w := range view.Workers {
		offered = append(offered, w.Handlers...)
	}
	return offered
}

// stepRun is a handler and the step that it runs.
type stepRun struct {
	address string
	handler definition.Text
}

// notOffered lists the handlers that this runtime does not offer, of children as
// well. Those that every worker has are none of them.
func (r *Runtime) notOffered(source *definition.Source) (missing []stepRun) {
	source.Walk(func(address string, n *definition.Node) {
		if n.Run == nil || !n.Run.Handler.Given() {
			return
		}
		if _, standard := definition.Standard(n.Run.Handler.Value); standard {
			return
		}
		if reg := r.options.Handlers; reg == nil || reg.Offers(n.Run.Handler.Value) != nil {
			missing = append(missing, stepRun{address: address, handler: n.Run.Handler})
		}
	})
	return missing
}

// handlersElsewhere lists what the workers of the server offer that this
// runtime joined; known is false if it does not answer. A server that has not
// listened for long is asked again while something is missing.
func (r *Runtime) handlersElsewhere(ctx context.Context, missing []stepRun) (offered []string, known bool) {
	ctx, cancel := context.WithTimeout(ctx, workersSpeak)
	defer cancel()
	for {
		view, err := r.Look(ctx, "")
		if err != nil {
			return offered, known
		}
		offered, known = handlersOf(view), true
		if view.Certain || !slices.ContainsFunc(missing, func(run stepRun) bool { return !slices.Contains(offered, run.handler.Value) }) {
			return offered, known
		}
		select {
		case <-ctx.Done():
			return offered, known
		case <-time.After(200 * time.Millisecond):
		}
	}
}
