package orchestrator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
)

// Snapshots keeps states of processes as blobs, so that loading one does not
// begin with its first event. They are a shortcut, never the truth: one that is
// torn, of another history or of another version of the code is passed over,
// and without any everything works, only slower.
//
// They lie under snapshots/<process>/<version>; the two latest are kept.
type Snapshots struct {
	Blobs *blob.Store
	Every uint64       // events after which the next one is stored; 0: 2000
	Log   *slog.Logger // nil: slog.Default
}

const (
	snapshotEvery = 2000
	snapshotsKept = 2
	snapshotLimit = 1 << 30 // bytes
	saveWithin    = 10 * time.Second
)

// errForeign is a snapshot that does not belong to the history that is stored.
var errForeign = errors.New("it is of another history")

// due reports whether another snapshot is worth storing. One that remembers many
// reports is large, so it waits for a tenth as many events: what is written for
// an event is bounded, and what is folded when it is loaded takes less time than
// reading it.
func (s *Snapshots) due(version, last uint64, reports int) bool {
	every := s.Every
	if every == 0 {
		every = snapshotEvery
	}
	return version >= last+every && version >= last+uint64(reports)/10
}

func snapshotFolder(id string) string { return "snapshots/" + id + "/" }

// Save stores a state, whose last event the commit brought, and removes what is
// older than the two latest.
func (s *Snapshots) Save(ctx context.Context, state process.State, commitID string) error {
	body, err := process.EncodeSnapshot(state)
	if err != nil {
		return err
	}
	folder := snapshotFolder(state.ID)
	err = s.Blobs.StoreNamed(ctx, fmt.Sprintf("%s%020d", folder, state.Version), seal(commitID, body))
	if err != nil && !errors.Is(err, blob.ErrExists) {
		return fmt.Errorf("store a snapshot of process %q: %w", state.ID, err)
	}
	stored, err := s.Blobs.Names(ctx, folder)
	if err != nil {
		return err
	}
	for len(stored) > snapshotsKept {
		if err := s.Blobs.Remove(ctx, stored[0]); err != nil {
			return err
		}
		stored = stored[1:]
	}
	return nil
}

// seal is the bytes of a snapshot: a line with the digest of all that follows,
// a line with the ID of the commit, the state.
func seal(commitID string, body []byte) []byte {
	rest := append([]byte(commitID+"\n"), body...)
	sum := sha256.Sum256(rest)
	return append([]byte("deed snapshot "+hex.EncodeToString(sum[:])+"\n"), rest...)
}

func unseal(data []byte) (commitID string, body []byte, err error) {
	head, rest, _ := bytes.Cut(data, []byte("\n"))
	sum := sha256.Sum256(rest)
	if string(head) != "deed snapshot "+hex.EncodeToString(sum[:]) {
		return "", nil, errors.New("its bytes are not those that were written")
	}
	id, body, _ := bytes.Cut(rest, []byte("\n"))
	return string(id), body, nil
}

// Load is [Load] from the latest snapshot that can be believed. It also says at
// which version that was; 0: none.
func (s *Snapshots) Load(ctx context.Context, store *events.Store, id string) (state process.State, from uint64, err error) {
	last, ok, err := store.Last(ctx, streamPrefix+id)
	if err != nil || !ok {
		return state, 0, err
	}
	all := &Archive{Events: store, Blobs: s.Blobs}
	if isClosing(last) || !s.due(last.Version(), 0, 0) {
		state, err = Load(ctx, all, id) // too short for a snapshot: a store of blobs may be slow to list
		return state, 0, err
	}
	stored, err := s.Blobs.Names(ctx, snapshotFolder(id))
	if err != nil {
		logTo(s.Log).Warn("orchestrator: snapshots cannot be listed; the whole history is read", "process", id, "error", err)
	}
	for _, key := range slices.Backward(stored) {
		state, commitID, err := s.read(ctx, id, key)
		if err == nil {
			from := state.Version
			state, err = foldOn(ctx, all, state, commitID)
			if err == nil {
				return state, from, nil
			}
			if !errors.Is(err, errForeign) {
				return state, 0, fmt.Errorf("load process %q: %w", id, err)
			}
		}
		logTo(s.Log).Warn("orchestrator: a snapshot is not believed", "blob", key, "reason", err)
	}
	state, err = Load(ctx, all, id)
	return state, 0, err
}

func (s *Snapshots) read(ctx context.Context, id, key string) (process.State, string, error) {
	data, err := s.Blobs.ReadNamed(ctx, key, snapshotLimit)
	if err != nil {
		return process.State{}, "", err
	}
	commitID, body, err := unseal(data)
	if err != nil {
		return process.State{}, "", err
	}
	state, err := process.DecodeSnapshot(body)
	if err != nil {
		return process.State{}, "", err
	}
	version, err := strconv.ParseUint(strings.TrimLeft(path.Base(key), "0"), 10, 64)
	if err != nil || state.ID != id || state.Version != version {
		return process.State{}, "", fmt.Errorf("it is of process %q at version %d", clipID(state.ID), state.Version)
	}
	return state, commitID, nil
}

func clipID(id string) string { return id[:min(len(id), 64)] }

// foldOn folds what was stored after a snapshot. The commit that brought the
// last event of the snapshot has to stand in the history, where it was.
func foldOn(ctx context.Context, from Commits, state process.State, commitID string) (process.State, error) {
	anchored, fold := false, folding{state: state}
	for commit, err := range historyOf(ctx, from, state.ID, state.Version-1) {
		switch {
		case err != nil:
			return state, err
		case anchored:
			if err := fold.addStored(commit); err != nil {
				return state, err
			}
		case commit.ID != commitID || commit.Version() != state.Version:
			return state, errForeign
		default:
			anchored = true
		}
	}
	if !anchored {
		return state, errForeign
	}
	return fold.end(), nil
}

// snapshot stores the state of a process now and then. States are values: while
// one is stored, the owner goes on. If storing does not keep up, some are left out.
func (o *Owner) snapshot(ctx context.Context, state process.State, commitID string) {
	if o.Snapshots == nil || state.Ended() || !o.Snapshots.due(state.Version, o.snapshots[state.ID], 0) {
		return
	}
	if !o.Snapshots.due(state.Version, o.snapshots[state.ID], state.Reports()) { // which goes over all steps
		return
	}
	about := o.inLog(state.ID) // by the goroutine that may look
	save := func(ctx context.Context) {
		if err := o.Snapshots.Save(ctx, state, commitID); err != nil {
			o.Log.Warn("orchestrator: a snapshot was not stored; the next one will be tried", append(about, "error", err)...)
		}
	}
	if o.isStepped() {
		o.snapshots[state.ID] = state.Version
		save(ctx)
		return
	}
	select {
	case o.saving <- struct{}{}:
		o.snapshots[state.ID] = state.Version
		go func() {
			defer func() { <-o.saving }()
			saved, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
			defer cancel()
			save(saved)
		}()
	default:
	}
}
