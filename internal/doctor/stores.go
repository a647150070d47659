package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/amount"
)

func (p *place) checkEvents(ctx context.Context, r *report) {
	e := p.Events
	if e == nil {
		return
	}
	if p.NATS != nil && (p.NATS.Looks || p.NATS.Off != nil) {
		r.add("events", Warn, "not looked at: these credentials do not reach them", "look with those of an orchestrator, or ask a server: `deed doctor --server URL`")
		return
	}
	began := time.Now()
	if err := e.answers(ctx); err != nil {
		r.add("events", Fail, err.Error(), "start the event store, or name the one that these queues belong to with --events")
		return
	}
	r.ok("events", "in %s, which answers in %s, and belongs to these queues", e.Name, time.Since(began).Round(100*time.Microsecond))
}

// probePrefix is of the blobs that an examination writes and removes. A garbage
// collection leaves them alone: no process has such a name.
const probePrefix = "_doctor/"

func (p *place) checkBlobs(ctx context.Context, r *report) {
	b := p.Blobs
	if b == nil {
		return
	}
	fix := "give the store that all roles use with --blobs, and let this user read, write and remove in it"
	if b.Err != nil {
		r.add("blobs", Fail, b.Err.Error(), fix)
		return
	}
	if err := p.roundTrip(ctx, r); err != nil {
		r.add("blobs", Fail, fmt.Sprintf("%s: %v", b.URL, err), fix)
		return
	}
	if b.Dir != "" && (p.Folder == nil || p.Folder.Path == "") {
		p.checkDisk(r, "blobs-disk", b.Dir, "make room on that disk, or remove blobs that no process refers to: `"+p.Ask("gc", "--delete")+"`")
	}
	p.checkBelongs(ctx, r)
}

// roundTrip writes a probe, reads it, and removes it; and that it is written
// once, which is what keeps two executions apart.
func (p *place) roundTrip(ctx context.Context, r *report) error {
	key, content := probePrefix+rand.Text(), []byte("written by deed doctor; it may be removed\n")
	store, began := p.Blobs.Store, p.Machine.Now()
	if err := store.StoreNamed(ctx, key, content); err != nil {
		return fmt.Errorf("it cannot be written: %w", err)
	}
	wrote := p.Machine.Now()
	defer func() { // also after what went wrong below
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = store.Remove(within, key)
	}()
	switch err := store.StoreNamed(ctx, key, content); {
	case err == nil:
		return errors.New("it writes twice what must be written once: this store has no write-if-absent; choose one that has")
	case !errors.Is(err, blob.ErrExists):
		return fmt.Errorf("what is there already is not refused as it has to be: %w", err)
	}
	read, err := store.ReadNamed(ctx, key, 1<<10)
	switch {
	case err != nil:
		return fmt.Errorf("what was written cannot be read: %w", err)
	case !bytes.Equal(read, content):
		return fmt.Errorf("it gives other bytes than were written (%d of %d)", len(read), len(content))
	}
	opened, written, err := store.OpenUnverified(ctx, key)
	if err != nil {
		return fmt.Errorf("what was written cannot be read: %w", err)
	}
	_ = opened.Close() // it was only asked for its time
	if err := store.Remove(ctx, key); err != nil {
		return fmt.Errorf("it cannot be removed from, which `deed gc` does: %w", err)
	}
	r.ok("blobs", "%s: written once, read back and removed in %s", p.Blobs.URL, p.Machine.Now().Sub(began).Round(100*time.Microsecond))
	if p.Blobs.Dir == "" {
		clockFinding(r, "clock-blobs", "the blob store", written.Sub(began.Add(wrote.Sub(began)/2)).Truncate(time.Second))
	}
	return nil
}

// How much is looked up to know whether the blobs are those of the events.
const (
	mostProcesses = 5
	mostRefs      = 20
)

// checkBelongs says whether what processes refer to is in the blob store: with
// another one each of them would fail, one after the other.
func (p *place) checkBelongs(ctx context.Context, r *report) {
	if p.Events == nil || p.NATS != nil && (p.NATS.Looks || p.NATS.Off != nil) {
		return
	}
	ids, err := p.Events.stored(ctx, mostProcesses)
	if err != nil {
		return // the check of the event store says so
	}
	found, missing := 0, []string{}
	for _, id := range ids {
		refs, err := p.Events.refs(ctx, id)
		if err != nil {
			continue // one history says nothing of the blobs
		}
		for _, ref := range refs[:min(len(refs), mostRefs)] {
			content, _, err := p.Blobs.Store.OpenUnverified(ctx, ref.Key)
			switch {
			case err == nil:
				found++
				_ = content.Close() // that it is there was the question
			case errors.Is(err, blob.ErrNotFound):
				missing = append(missing, fmt.Sprintf("%s of %s", ref.Key, id))
			}
		}
	}
	switch {
	case len(missing) == 0 && found == 0:
	case len(missing) == 0:
		r.ok("blobs-belong", "what was looked up of %s is there: %s", processes(len(ids)), amount.Of(found, "blob"))
	case found == 0:
		r.add("blobs-belong", Fail, fmt.Sprintf("nothing that the processes refer to is in %s: it is another store than theirs", p.Blobs.URL), "give the store that the roles use with --blobs; an empty one is easily made by a wrong name")
	default:
		r.add("blobs-belong", Fail, fmt.Sprintf("missing in %s: %s", p.Blobs.URL, list(missing)), "restore them from a copy of the store; else start again what made them: `"+p.Ask("restart", "ID", "--from", "STEP")+"`")
	}
}
