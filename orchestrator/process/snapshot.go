package process

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// The schema numbers of snapshots that are read. Unlike events, snapshots of an
// older form are not: the history is. But one whose definitions an older version
// knows whole has the number that this version wrote, from oldestSnapshot on, and
// these are read, too.
const (
	newestSnapshot = oldestSnapshot + definitionSchema - 1
	oldestSnapshot = 2
)

func snapshotSchema(s State) int {
	schema := max(schemaOf(*s.Definition), schemaOf(*s.Original))
	if s.Parent != nil || isElsewhere(s.Inputs) {
		schema = definitionSchema
	}
	return oldestSnapshot + schema - 1
}

// snapshot is the stored form of a state: a line of JSON. What tasks wrote
// follows it, packed, node by node.
type snapshot struct {
	Schema     int                     `json:"schema"`
	ID         string                  `json:"id"`
	Version    uint64                  `json:"version"`
	Status     Status                  `json:"status"`
	Definition *definition.Definition  `json:"definition"`
	Original   *definition.Definition  `json:"original,omitempty"` // if it is another
	Hash       string                  `json:"hash"`
	Inputs     map[string]task.Dataset `json:"inputs,omitempty"`
	StartedAt  time.Time               `json:"startedAt"`
	Submitted  Asked                   `json:"submitted,omitzero"`
	Trace      string                  `json:"trace,omitempty"`
	Parent     *Parent                 `json:"parent,omitempty"`
	SetOffAt   time.Time               `json:"setOffAt"`
	EndedAt    time.Time               `json:"endedAt,omitzero"`
	Failure    *ProcessFailed          `json:"failure,omitempty"`
	Cancel     *ProcessCancelled       `json:"cancel,omitempty"`
	Pause      *ProcessPaused          `json:"pause,omitempty"`
	Nodes      []nodeSnapshot          `json:"nodes"` // by number
	Left       int                     `json:"left"`
	Retired    map[string]int          `json:"retired,omitempty"`
	Commands   []string                `json:"commands,omitempty"`
}

type nodeSnapshot struct {
	Phase      phase                   `json:"phase"`
	Generation int                     `json:"generation,omitempty"`
	Needs      int                     `json:"needs,omitempty"`
	Total      int                     `json:"total,omitempty"`
	Scheduled  int                     `json:"scheduled,omitempty"`
	Confirmed  int                     `json:"confirmed,omitempty"`
	Skipped    int                     `json:"skipped,omitempty"`
	Retrying   int                     `json:"retrying,omitempty"`
	Failures   int                     `json:"failures,omitempty"`
	Losses     int                     `json:"losses,omitempty"`
	Elapsed    time.Duration           `json:"elapsed,omitempty"`
	StartedAt  time.Time               `json:"startedAt,omitzero"`
	EndedAt    time.Time               `json:"endedAt,omitzero"`
	Closed     []byte                  `json:"closed,omitempty"` // a bit a task, in words of 64, the lowest byte first
	Troubled   []troubleSnapshot       `json:"troubled,omitempty"`
	Skips      []Skip                  `json:"skips,omitempty"`
	Gathered   int                     `json:"gathered,omitempty"` // how many sources follow the JSON, oldest first
	Sealed     map[string]task.Dataset `json:"sealed,omitempty"`
	Levels     []int                   `json:"levels,omitempty"`
	Merged     []task.Dataset          `json:"merged,omitempty"`
	Last       map[string]task.Dataset `json:"last,omitempty"`
	Over       bool                    `json:"over,omitempty"`
	Unmet      string                  `json:"unmet,omitempty"`
	Reused     int                     `json:"reused,omitempty"`
}

type troubleSnapshot struct {
	Index    int   `json:"i"`
	Attempt  int   `json:"a"`
	Failures int   `json:"f,omitempty"`
	Losses   int   `json:"l,omitempty"`
	Stand    stand `json:"s,omitempty"`
	Due      int64 `json:"d,omitempty"`
}

// EncodeSnapshot is the stored form of a state, from which DecodeSnapshot makes
// an equal one. A damaged state has none, nor has one that nobody started.
func EncodeSnapshot(s State) ([]byte, error) {
	if s.damaged != nil || s.graph == nil {
		return nil, errors.New("encode snapshot: the state is damaged, or of no process")
	}
	snap := snapshot{
		Schema: snapshotSchema(s), ID: s.ID, Version: s.Version, Status: s.Status, Definition: s.Definition, Hash: s.Hash, Inputs: s.Inputs,
		StartedAt: s.StartedAt, Submitted: s.Submitted, Trace: s.Trace, Parent: s.Parent, SetOffAt: s.SetOffAt, EndedAt: s.EndedAt,
		Failure: s.Failure, Cancel: s.Cancel, Pause: s.Pause,
		Left: s.left, Retired: s.retired, Commands: s.commands, Nodes: make([]nodeSnapshot, len(s.nodes)),
	}
	if s.Original != s.Definition {
		snap.Original = s.Original
	}
	var wrote packer
	for i, n := range s.nodes {
		sources := n.sources()
		snap.Nodes[i] = n.snapshot(len(sources))
		for _, source := range sources {
			if err := wrote.source(source); err != nil {
				return nil, fmt.Errorf("encode snapshot of process %q: %w", s.ID, err)
			}
		}
	}
	data, err := json.Marshal(snap)
	if err != nil {
		return nil, fmt.Errorf("encode snapshot of process %q: %w", s.ID, err)
	}
	return append(append(data, '\n'), wrote...), nil
}

func (n *node) snapshot(gathered int) nodeSnapshot {
	snap := nodeSnapshot{
		Phase: n.phase, Generation: n.generation, Needs: n.needs, Total: n.total, Scheduled: n.scheduled, Confirmed: n.confirmed,
		Skipped: n.skipped, Retrying: n.retrying, Failures: n.failures, Losses: n.losses, Elapsed: n.elapsed,
		StartedAt: n.startedAt, EndedAt: n.endedAt, Skips: n.skips, Gathered: gathered, Sealed: n.sealed, Levels: n.levels, Merged: n.merged,
		Last: n.last, Over: n.over, Unmet: n.unmet, Reused: n.reused,
	}
	for at, c := range n.tasks.chunks {
		if c == nil {
			continue
		}
		if snap.Closed == nil {
			snap.Closed = make([]byte, len(n.tasks.chunks)*chunkSize/8)
		}
		for w, word := range c.closed {
			binary.LittleEndian.PutUint64(snap.Closed[at*chunkSize/8+w*8:], word)
		}
		for i, t := range c.odd {
			snap.Troubled = append(snap.Troubled, troubleSnapshot{
				Index: at*chunkSize + i, Attempt: t.attempt, Failures: t.failures, Losses: t.losses, Stand: t.stand, Due: t.due,
			})
		}
	}
	slices.SortFunc(snap.Troubled, func(a, b troubleSnapshot) int { return a.Index - b.Index })
	return snap
}

// DecodeSnapshot reads what EncodeSnapshot wrote. It refuses another schema and
// whatever does not fit together; whether the bytes are those that were
// written, and belong to this history, the caller has to know.
func DecodeSnapshot(data []byte) (State, error) {
	line, wrote, _ := bytes.Cut(data, []byte("\n"))
	var snap snapshot
	if err := json.Unmarshal(line, &snap); err != nil {
		return State{}, fmt.Errorf("decode snapshot: %w", err)
	}
	if snap.Schema < oldestSnapshot || snap.Schema > newestSnapshot {
		return State{}, fmt.Errorf("decode snapshot: its schema is %d, this version of deed reads %d", snap.Schema, newestSnapshot)
	}
	if snap.Definition == nil {
		return State{}, errors.New("decode snapshot: it has no definition")
	}
	if snap.Original == nil {
		snap.Original = snap.Definition
	}
	g, err := newGraph(snap.Definition)
	if err != nil {
		return State{}, fmt.Errorf("decode snapshot of process %q: %w", snap.ID, err)
	}
	if len(snap.Nodes) != len(snap.Definition.Steps)+len(g.seals) {
		return State{}, fmt.Errorf("decode snapshot of process %q: it has %d nodes, its definition %d", snap.ID, len(snap.Nodes), len(snap.Definition.Steps)+len(g.seals))
	}
	s := State{
		ID: snap.ID, Version: snap.Version, Status: snap.Status, Definition: snap.Definition, Original: snap.Original, Hash: snap.Hash,
		Inputs: snap.Inputs, StartedAt: snap.StartedAt, Submitted: snap.Submitted, Trace: snap.Trace, Parent: snap.Parent, SetOffAt: snap.SetOffAt,
		EndedAt: snap.EndedAt, Failure: snap.Failure, Cancel: snap.Cancel, Pause: snap.Pause, graph: g, left: snap.Left, retired: snap.Retired, commands: snap.Commands,
		nodes: make([]*node, len(snap.Nodes)),
	}
	unpack := &unpacker{rest: wrote}
	for i, n := range snap.Nodes {
		if s.nodes[i], err = n.node(unpack); err != nil {
			return State{}, fmt.Errorf("decode snapshot of process %q: %s: %w", snap.ID, g.address(i), err)
		}
	}
	if len(unpack.rest) > 0 {
		return State{}, fmt.Errorf("decode snapshot of process %q: %d bytes follow its end", snap.ID, len(unpack.rest))
	}
	return s, nil
}

func (snap nodeSnapshot) node(wrote *unpacker) (*node, error) {
	if snap.Total < 0 || snap.Scheduled < 0 || snap.Scheduled > snap.Total || snap.Total > task.MaxIndex || snap.Phase > completed {
		return nil, errors.New("its counts make no sense")
	}
	n := &node{
		phase: snap.Phase, generation: snap.Generation, needs: snap.Needs, total: snap.Total, scheduled: snap.Scheduled,
		confirmed: snap.Confirmed, skipped: snap.Skipped, retrying: snap.Retrying, failures: snap.Failures, losses: snap.Losses,
		elapsed: snap.Elapsed, startedAt: snap.StartedAt, endedAt: snap.EndedAt, skips: snap.Skips, sealed: snap.Sealed,
		levels: snap.Levels, merged: snap.Merged, last: snap.Last, over: snap.Over, unmet: snap.Unmet, reused: snap.Reused,
	}
	if snap.Phase != waiting {
		n.tasks.grow(snap.Total)
	}
	if len(snap.Closed) != 0 && len(snap.Closed) != len(n.tasks.chunks)*chunkSize/8 {
		return nil, fmt.Errorf("its %d bytes of closed tasks do not fit %d tasks", len(snap.Closed), snap.Total)
	}
	t := &token{}
	for at := 0; at < len(snap.Closed); at += 8 {
		if word := binary.LittleEndian.Uint64(snap.Closed[at:]); word != 0 {
			c := n.tasks.edit(t, at*8)
			c.closed[at/8%(chunkSize/64)] = word
		}
	}
	for _, odd := range snap.Troubled {
		if odd.Index < 0 || odd.Index >= snap.Total || odd.Stand > skipped {
			return nil, fmt.Errorf("it has no task %d", odd.Index)
		}
		n.tasks.setTrouble(t, odd.Index, trouble{attempt: odd.Attempt, failures: odd.Failures, losses: odd.Losses, stand: odd.Stand, due: odd.Due})
	}
	for range snap.Gathered {
		source := wrote.source()
		if wrote.err != nil {
			return nil, wrote.err
		}
		n.gather(source)
	}
	return n, nil
}
