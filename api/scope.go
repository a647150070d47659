package api

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// A token may be for the processes of some definitions alone. To who shows it
// the others do not exist: what is asked about them is answered in the very
// words that are for what nobody ever started. Which definition a process is
// of, its first event says, for ever: it stays so when the process is given
// another definition, is archived, or is removed.

const processPrefix = "process-" // of the streams of processes

// see is nil if a process exists for who asks, or if he is to be told by
// somebody else that it does not: who sees all is not looked up.
func (s *server) see(ctx context.Context, id string) error {
	seen, err := s.sees(ctx, id)
	if err == nil && !seen {
		err = noProcess(id)
	}
	return err
}

func (s *server) sees(ctx context.Context, id string) (bool, error) {
	who := access.From(ctx)
	if !who.Scoped() {
		return true, nil
	}
	if process.CheckID(id) != nil {
		return false, nil
	}
	name, err := s.definitionOf(ctx, id)
	return name != "" && who.Sees(name), err
}

// seesCommit is seesStream of a commit that was read. The one that begins a
// process says which definition it is of.
func (s *server) seesCommit(ctx context.Context, c events.Commit) (bool, error) {
	if id, ok := strings.CutPrefix(c.Stream, processPrefix); ok && c.First == 0 && access.From(ctx).Scoped() {
		if name := startedAs(c); name != "" {
			s.names.put(id, name)
		}
	}
	return s.seesStream(ctx, c.Stream)
}

// definitionOf is the name of the definition that a process was started with;
// "" if there is no such process, or it cannot be read any more.
func (s *server) definitionOf(ctx context.Context, id string) (string, error) {
	if name, known := s.names.get(id); known {
		return name, nil
	}
	name, err := s.readDefinitionOf(ctx, id)
	switch {
	case err != nil && (ctx.Err() != nil || errors.Is(err, events.ErrUnavailable)):
		return "", err
	case err != nil:
		s.log.Warn("api: of which definition a process is cannot be told; it does not exist for tokens that are not for all", "process", id, "error", err)
		return "", nil
	case name != "":
		s.names.put(id, name)
	}
	return name, nil
}

func (s *server) readDefinitionOf(ctx context.Context, id string) (string, error) {
	for c, err := range s.Events.ReadCommits(ctx, processPrefix+id, 0) {
		if err != nil {
			return "", err
		}
		if name := startedAs(c); name != "" {
			return name, nil
		}
		archived, removed, err := s.Archive.Closed(ctx, id)
		switch {
		case archived != nil:
			return archived.Summary.Name, err
		case removed != nil:
			return removed.Summary.Name, err
		}
		return "", err
	}
	return "", nil
}

// startedAs is the name of the definition that a commit starts a process with;
// "" if it does not.
func startedAs(c events.Commit) string {
	if c.First > 0 || len(c.Events) == 0 {
		return ""
	}
	first := c.Events[0]
	event, err := process.Decode(process.Stored(first))
	if started, ok := event.(process.ProcessStarted); err == nil && ok {
		return started.Definition.Name
	}
	return ""
}

// visible lists the processes that exist for who asks.
func (s *server) visible(ctx context.Context) ([]orchestrator.Summary, error) {
	all, err := s.Views().Processes(ctx, time.Now())
	who := access.From(ctx)
	if err != nil || !who.Scoped() {
		return all, err
	}
	some := all[:0]
	for _, p := range all {
		if p.Name != "" && who.Sees(p.Name) {
			some = append(some, p)
		}
	}
	return some, nil
}

// definitionNames remembers of which definition processes are. It has two
// generations, so that what is used stays: when the young one is full it
// becomes the old one, and what is looked for there moves back.
type definitionNames struct {
	mu         sync.Mutex
	young, old map[string]string // by ID of the process
}

// mostNames is how many are remembered in each generation, at some hundred bytes.
const mostNames = 25_000

func (d *definitionNames) get(id string) (name string, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if name, known = d.young[id]; known {
		return name, true
	}
	if name, known = d.old[id]; known {
		d.add(id, name)
	}
	return name, known
}

func (d *definitionNames) put(id, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.add(id, name)
}

func (d *definitionNames) add(id, name string) {
	if d.young == nil || len(d.young) >= mostNames {
		d.old, d.young = d.young, map[string]string{}
	}
	d.young[id] = name
}
