package orchestrator

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// exported archives p and returns its file.
func (s *shelf) exported() []byte {
	s.t.Helper()
	r, err := s.archiveIt()
	require.NoError(s.t, err)
	var file bytes.Buffer
	require.NoError(s.t, s.archive.Export(s.ctx, r, &file))
	return file.Bytes()
}

func newArchive(t *testing.T, driver events.Driver) *Archive {
	return &Archive{Events: events.New(driver), Blobs: newBlobs(t)}
}

func TestAnImportedProcessReadsAsWhereItComesFrom(t *testing.T) {
	onEvery(t, func(t *testing.T, driver func() events.Driver) {
		s := newShelf(t, driver())
		file, there := s.exported(), newArchive(t, driver())
		r, changed, err := there.Import(s.ctx, bytes.NewReader(file), ada, s.now)
		require.NoError(t, err)
		require.True(t, changed)
		require.True(t, r.Imported)
		require.Equal(t, s.before, tellAll(t, there, "p"))
		all, err := summarise(s.ctx, there.Events)
		require.NoError(t, err)
		here, err := summarise(s.ctx, s.store)
		require.NoError(t, err)
		require.Equal(t, here, all)

		_, changed, err = there.Import(s.ctx, bytes.NewReader(file), ada, s.now)
		require.NoError(t, err)
		require.False(t, changed, "twice is once")
		_, changed, err = s.archive.Import(s.ctx, bytes.NewReader(file), ada, s.now)
		require.NoError(t, err)
		require.False(t, changed, "it is where it comes from")
	})
}

func TestAnImportThatWasInterruptedIsFinishedByTheNext(t *testing.T) {
	s := newShelf(t, memevents.New())
	file := s.exported()
	for _, point := range []string{"import.after-file", "import.after-lists"} {
		t.Run(point, func(t *testing.T) {
			there := newArchive(t, memevents.New())
			there.Failpoint = func(name string) {
				if name == point {
					panic(errCrash)
				}
			}
			put := func() error {
				_, _, err := there.Import(s.ctx, bytes.NewReader(file), ada, s.now)
				return err
			}
			require.ErrorIs(t, crashed(put), errCrash)
			there.Failpoint = nil
			require.NoError(t, put())
			require.Equal(t, s.before, tellAll(t, there, "p"))
		})
	}
}

func TestAnImportWhoseIDAnotherHistoryHasIsRefusedWithBoth(t *testing.T) {
	s := newShelf(t, memevents.New())
	file, other := s.exported(), newShelf(t, memevents.New())
	refused := func() {
		t.Helper()
		_, _, err := other.archive.Import(s.ctx, bytes.NewReader(file), ada, s.now)
		var refused *process.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Len(t, refused.Differs, 2)
		require.Contains(t, refused.Differs[0], "here: fan-out, completed, started")
		require.Contains(t, refused.Differs[1], "in the file: fan-out, completed, started")
	}
	refused()
	require.Equal(t, other.before, other.tell("p"))
	_, err := other.archiveIt()
	require.NoError(t, err)
	refused()
	_, err = other.archive.Remove(s.ctx, "p", ada, s.now)
	require.NoError(t, err)
	_, _, err = other.archive.Import(s.ctx, bytes.NewReader(file), ada, s.now)
	require.ErrorContains(t, err, "it was removed on")
}

func TestAnImportOfWhatHasNeverLeftChangesNothing(t *testing.T) {
	s := newShelf(t, memevents.New())
	var file bytes.Buffer
	st, err := s.archive.story(s.ctx, "p")
	require.NoError(t, err)
	require.NoError(t, s.archive.write(s.ctx, &file, st))
	_, changed, err := s.archive.Import(s.ctx, bytes.NewReader(file.Bytes()), ada, s.now)
	require.NoError(t, err)
	require.False(t, changed)
	require.NotEqual(t, []string{archivedType}, s.stream())
}

func TestEveryRecordedHistoryThatHasEndedIsTheSameAfterArchiveAndImport(t *testing.T) {
	files, err := filepath.Glob("process/testdata/histories/*.jsonl")
	require.NoError(t, err)
	ended := 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".jsonl"), func(t *testing.T) {
			s := newShelf(t, memevents.New())
			id := s.replay(file)
			state := s.state(id)
			_, _, err := s.archive.Put(s.ctx, id, ada, s.now)
			if !state.Ended() {
				require.ErrorContains(t, err, "only what has ended can be archived")
				return
			}
			ended++
			require.NoError(t, err)
			k, err := closed(s.ctx, s.store, id)
			require.NoError(t, err)
			var exported, again bytes.Buffer
			require.NoError(t, s.archive.Export(s.ctx, *k.archived, &exported))
			there := newArchive(t, memevents.New())
			_, _, err = there.Import(s.ctx, bytes.NewReader(exported.Bytes()), ada, s.now)
			require.NoError(t, err)
			require.Equal(t, encoded(t, state), tellAll(t, there, id).state)
			require.Equal(t, s.tell(id), tellAll(t, there, id))
			k, err = closed(s.ctx, there.Events, id)
			require.NoError(t, err)
			require.NoError(t, there.Export(s.ctx, *k.archived, &again))
			require.Equal(t, exported.Bytes(), again.Bytes())
		})
	}
	require.Greater(t, ended, 10)
}

// replay stores a recorded history, two events a commit. The lists that it
// refers to were never written: they are now.
func (s *shelf) replay(file string) (id string) {
	s.t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(s.t, err)
	var all []events.Record
	for line := range bytes.Lines(data) {
		var r struct {
			Type   string `json:"type"`
			Schema int    `json:"schema"`
			Data   any    `json:"data"`
		}
		require.NoError(s.t, json.Unmarshal(line, &r))
		s.write(r.Data)
		data, err := json.Marshal(r.Data)
		require.NoError(s.t, err)
		all = append(all, events.Record{Type: r.Type, Schema: r.Schema, Data: data})
	}
	first, err := decode(all[0])
	require.NoError(s.t, err)
	id = first.(process.ProcessStarted).ID
	for i := 0; i < len(all); i += 2 {
		_, err := s.store.Append(s.ctx, streamPrefix+id, events.Exactly(uint64(i)), "recorded-"+string(rune('a'+i%26)), all[i:min(i+2, len(all))]...)
		require.NoError(s.t, err)
	}
	return id
}

// write stores something under every reference, and makes it right.
func (s *shelf) write(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			s.write(e)
		}
	case map[string]any:
		for _, e := range v {
			s.write(e)
		}
		key, isRef := v["key"].(string)
		if _, hasSum := v["sha256"]; isRef && hasSum {
			_ = s.archive.Blobs.StoreNamed(s.ctx, key, []byte(key)) // or it is there already
			v["size"], v["sha256"] = len(key), sumOf(key)
		}
	}
}

func TestTheListsOfAnArchiveAreImportedUnderTheirOwnKeys(t *testing.T) {
	s := newShelf(t, memevents.New())
	list := task.Ref{Key: "lists/in", Size: 3, SHA256: sumOf("abc")}
	require.NoError(t, s.archive.Blobs.StoreNamed(s.ctx, list.Key, []byte("abc")))
	dataset := task.Dataset{Count: 1, Digest: "d", Manifest: &task.Manifest{Ref: list}}
	started, err := process.Decide(process.State{}, process.StartProcess{ID: "q", Definition: fanOut(), Inputs: map[string]task.Dataset{"in": dataset}, At: s.now})
	require.NoError(t, err)
	cancelled, err := process.Decide(process.Fold(process.State{}, started...), process.CancelProcess{At: s.now.Add(time.Second)})
	require.NoError(t, err)
	s.commit("q", append(started, cancelled...)...)
	r, _, err := s.archive.Put(s.ctx, "q", ada, s.now)
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, s.archive.Export(s.ctx, r, &file))

	there := newArchive(t, memevents.New())
	_, _, err = there.Import(s.ctx, bytes.NewReader(file.Bytes()), ada, s.now)
	require.NoError(t, err)
	data, err := there.Blobs.ReadAll(s.ctx, list, 10)
	require.NoError(t, err)
	require.Equal(t, "abc", string(data))

	taken := newArchive(t, memevents.New())
	require.NoError(t, taken.Blobs.StoreNamed(s.ctx, list.Key, []byte("xyz")))
	_, _, err = taken.Import(s.ctx, bytes.NewReader(file.Bytes()), ada, s.now)
	require.ErrorContains(t, err, `"lists/in"`, "what is there is not overwritten")
}
