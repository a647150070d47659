package process

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

// Recorded histories are what versions of deed have stored, and the states that
// they fold to: whatever the code becomes, it has to read them and come to the
// same. They are never changed; see docs/event-evolution.md.
const histories = "testdata/histories"

var update = flag.Bool("update", false, "record the stories that were not recorded yet; what is recorded is never changed")

// sums lists the SHA-256 of every recorded file, so that none is changed or
// removed by mistake.
const sums = "SHA256SUMS"

// storedLine is one event of a history file.
type storedLine struct {
	Type   string          `json:"type"`
	Schema int             `json:"schema"`
	Data   json.RawMessage `json:"data"`
}

func TestEveryRecordedHistoryFoldsToTheStateItHadWhenItWasRecorded(t *testing.T) {
	recordNew(t)
	for _, name := range recordedNames(t) {
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join(histories, name+".state.json"))
			require.NoError(t, err)
			events := readHistory(t, name)
			require.Equal(t, string(want), stateAsRecorded(t, Fold(State{}, events...)))
			half := len(events) / 2
			require.Equal(t, string(want), stateAsRecorded(t, Fold(Fold(State{}, events[:half]...), events[half:]...)))
		})
	}
}

func TestEveryTypeOfEventOccursInARecordedHistory(t *testing.T) {
	found := map[reflect.Type]bool{}
	for _, name := range recordedNames(t) {
		for _, e := range readHistory(t, name) {
			found[reflect.TypeOf(e)] = true
		}
	}
	for _, eventType := range EventTypes() {
		require.True(t, found[eventType], "no recorded history has a %s: tell a story in which it occurs, and run with -update", eventType.Name())
	}
}

func TestEveryStoryIsRecorded(t *testing.T) {
	names := recordedNames(t)
	for name := range stories {
		require.Contains(t, names, name, "run go test ./orchestrator/process -run Recorded -update, and commit what it writes")
	}
}

func TestNoRecordedHistoryWasChangedOrRemoved(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(histories, sums))
	require.NoError(t, err)
	listed := map[string]bool{sums: true}
	for line := range strings.Lines(string(list)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		require.True(t, ok, line)
		listed[name] = true
		data, err := os.ReadFile(filepath.Join(histories, name))
		require.NoError(t, err, "what is recorded stays recorded")
		require.Equal(t, sum, fmt.Sprintf("%x", sha256.Sum256(data)), "%s was changed: it is history, restore it", name)
	}
	files, err := os.ReadDir(histories)
	require.NoError(t, err)
	for _, f := range files {
		require.True(t, listed[f.Name()], "%s is not in %s", f.Name(), sums)
	}
}

// recordNew writes the stories that are not recorded yet, with -update. A file
// that exists is left alone, whatever the story would give today.
func recordNew(t *testing.T) {
	if !*update {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(stories)) {
		c := &chronicle{t: t, at: start}
		stories[name](c)
		var lines bytes.Buffer
		for _, e := range c.history {
			s, err := Encode(e)
			require.NoError(t, err)
			line, err := json.Marshal(storedLine{Type: s.Type, Schema: s.Schema, Data: s.Data})
			require.NoError(t, err)
			lines.Write(append(line, '\n'))
		}
		writeNew(t, name+".jsonl", lines.Bytes())
		writeNew(t, name+".state.json", []byte(stateAsRecorded(t, c.s)))
	}
}

func writeNew(t *testing.T, name string, data []byte) {
	err := appendTo(name, os.O_EXCL, data)
	if errors.Is(err, fs.ErrExist) {
		return
	}
	require.NoError(t, err)
	require.NoError(t, appendTo(sums, 0, fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(data), name)))
	t.Logf("recorded %s", name)
}

func appendTo(name string, flags int, data []byte) error {
	f, err := os.OpenFile(filepath.Join(histories, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND|flags, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func recordedNames(t testing.TB) []string {
	files, err := filepath.Glob(filepath.Join(histories, "*.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".jsonl")
	}
	return files
}

func readHistory(t testing.TB, name string) []Event {
	data, err := os.ReadFile(filepath.Join(histories, name+".jsonl"))
	require.NoError(t, err)
	var events []Event
	for line := range bytes.Lines(data) {
		var s storedLine
		require.NoError(t, json.Unmarshal(line, &s))
		e, err := Decode(Stored{Type: s.Type, Schema: s.Schema, Data: s.Data})
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

// recordedState is all of a state that anything depends on, for people to read
// beside the history.
type recordedState struct {
	ID          string            `json:"id"`
	Version     uint64            `json:"version"`
	Status      Status            `json:"status"`
	Definition  string            `json:"definition"` // its hash
	Original    string            `json:"original"`
	StartedAt   time.Time         `json:"startedAt"`
	Submitted   Asked             `json:"submitted,omitzero"`
	Trace       string            `json:"trace,omitempty"`
	SetOffAt    time.Time         `json:"setOffAt"`
	EndedAt     time.Time         `json:"endedAt,omitzero"`
	Deadline    time.Time         `json:"deadline,omitzero"`
	Failure     *ProcessFailed    `json:"failure,omitempty"`
	Cancel      *ProcessCancelled `json:"cancel,omitempty"`
	Pause       *ProcessPaused    `json:"pause,omitempty"`
	Commands    []string          `json:"commands,omitempty"` // IDs of those that were granted
	Retired     map[string]int    `json:"retired,omitempty"`
	Nodes       []recordedNode    `json:"nodes"` // the steps, then the merges that have begun
	Outstanding []recordedTasks   `json:"outstanding,omitempty"`
}

type recordedNode struct {
	Progress
	WaitsFor int           `json:"waitsFor,omitempty"` // steps
	Open     task.Ranges   `json:"open,omitempty"`
	Gathered []task.Source `json:"gathered,omitempty"` // by confirmed tasks, and not sealed
}

// recordedTasks are tasks that are to be executed, or that wait until Due.
type recordedTasks struct {
	Address    string      `json:"address"`
	Generation int         `json:"generation,omitempty"`
	Attempt    int         `json:"attempt"`
	Tasks      task.Ranges `json:"tasks"`
	Due        time.Time   `json:"due,omitzero"`
}

func stateAsRecorded(t *testing.T, s State) string {
	require.NoError(t, s.Damage())
	r := recordedState{
		ID: s.ID, Version: s.Version, Status: s.Status, Definition: s.Definition.Hash(), Original: s.Original.Hash(),
		StartedAt: s.StartedAt, Submitted: s.Submitted, Trace: s.Trace, SetOffAt: s.SetOffAt, EndedAt: s.EndedAt, Deadline: s.Deadline(),
		Failure: s.Failure, Cancel: s.Cancel, Pause: s.Pause, Commands: s.commands, Retired: s.retired,
	}
	require.Equal(t, s.Hash, r.Definition, "the hash of a definition is fixed for ever")
	for i, n := range s.nodes {
		if _, isStep := s.graph.step(i); isStep || n.phase != waiting || n.generation > 0 {
			address := s.graph.address(i)
			r.Nodes = append(r.Nodes, recordedNode{n.progress(address), n.needs, n.tasks.open(task.Span(0, n.total)), n.sources()})
		}
	}
	for _, e := range s.Outstanding() {
		switch e := e.(type) {
		case Enqueue:
			if _, queued := s.send(e).(Enqueue); !queued {
				continue // children were never among them
			}
			r.Outstanding = append(r.Outstanding, recordedTasks{e.Address, e.Generation, e.Attempt, e.Tasks, time.Time{}})
		case SetTimer:
			r.Outstanding = append(r.Outstanding, recordedTasks{e.Address, e.Generation, e.Attempt, e.Tasks, e.Due})
		}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	require.NoError(t, err)
	return string(text) + "\n"
}
