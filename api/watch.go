package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// mediaEvents is the media type of Server-Sent Events.
const mediaEvents = "text/event-stream"

// watch tells where a process stands after each of its commits. The ID of each
// message is the version, so that a browser that comes back goes on where it
// was; one that has seen the end is told that there is no more.
func (s *server) watch(w http.ResponseWriter, r *http.Request) error {
	leave, err := s.seats.take(access.From(r.Context()))
	if err != nil {
		return err
	}
	defer leave()
	id := r.PathValue("id")
	if err := process.CheckID(id); err != nil {
		return newProblem(http.StatusBadRequest, wire.CodeInvalid, "%v", err)
	}
	seen, err := lastSeen(r)
	if err != nil {
		return err
	}
	ctx, cancel := untilLeaving(w, r)
	defer cancel()
	if err := s.see(ctx, id); err != nil {
		return err
	}
	version, err := orchestrator.Version(ctx, s.Events, id)
	switch {
	case err != nil:
		return err
	case version == 0:
		return noProcess(id)
	}
	states := follow(ctx, s.Follow(ctx, id))
	first, ok := <-states
	if !ok {
		return errLeaving
	}
	if first.err == nil && first.state.Ended() && first.state.Version <= seen {
		w.WriteHeader(http.StatusNoContent) // which ends the coming back
		return nil
	}
	if first.err != nil && first.state.Version == 0 {
		return first.err
	}
	w.Header().Set("Content-Type", mediaEvents)
	w.Header().Set("X-Accel-Buffering", "no") // a proxy passes on what there is
	w.WriteHeader(http.StatusOK)
	l := &lineWriter{ctx: ctx, w: w, conn: http.NewResponseController(w)}
	s.tellStates(ctx, l, first, states, seen)
	if p := (*wire.Problem)(nil); errors.As(context.Cause(ctx), &p) && p.Code == wire.CodeUnauthorized {
		_ = tell(l, "problem", "", p) // there may be nobody left to tell
	}
	return nil
}

// lastSeen is the version that a watcher has seen, by the header that browsers
// send, or by the query.
func lastSeen(r *http.Request) (uint64, error) {
	if text := r.Header.Get("Last-Event-ID"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return 0, newProblem(http.StatusBadRequest, wire.CodeInvalid, "Last-Event-ID %q: it is the number of an event", text)
		}
		return n, nil
	}
	return number(r, "after")
}

// seenState is what a Follow yields.
type seenState struct {
	state process.State
	err   error
}

// follow is a Follow that can be waited for beside other things. It ends with
// the last state, or with ctx.
func follow(ctx context.Context, all iter.Seq2[process.State, error]) <-chan seenState {
	states := make(chan seenState)
	go func() {
		defer close(states)
		for state, err := range all {
			select {
			case states <- seenState{state, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return states
}

// tellStates writes states as they come, and between them that the server is
// still there.
func (s *server) tellStates(ctx context.Context, l *lineWriter, next seenState, states <-chan seenState, seen uint64) {
	beat := time.NewTicker(s.options.Beat)
	defer beat.Stop()
	for more := true; more; {
		if err := s.tellState(ctx, l, next, seen); err != nil {
			break // whoever watched has gone, or is told why it ends
		}
		for waits := true; waits; {
			select {
			case next, more = <-states:
				waits = false
			case <-beat.C:
				if l.line([]byte(": still here\n\n")) != nil {
					return
				}
			}
		}
	}
}

func (s *server) tellState(ctx context.Context, l *lineWriter, next seenState, seen uint64) error {
	kind, id, told := "state", "", any(wire.StandingOf(next.state))
	switch {
	case ctx.Err() != nil && next.err != nil: // the server ends; who watches comes back
		return next.err
	case errors.Is(next.err, context.Canceled):
		return next.err
	case next.err != nil:
		kind, told = "problem", s.problem(ctx, next.err)
	case next.state.Version <= seen:
		return nil
	default:
		id = fmt.Sprintf("id: %d\n", next.state.Version)
	}
	return tell(l, kind, id, told)
}

// tell writes a message; id is a line, or empty.
func tell(l *lineWriter, kind, id string, what any) error {
	data, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return l.line(fmt.Appendf(nil, "event: %s\n%sdata: %s\n\n", kind, id, data))
}
