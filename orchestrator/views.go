package orchestrator

import (
	"context"
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
)

// Views keeps the list of processes as a blob, with the place in the event
// store that it has read up to, so that listing reads only what is new. It is a
// shortcut, never the truth: one that is torn, of another store or of another
// version of the code is passed over, and the list is folded from zero.
//
// It lies under views/<name>/<schema>/<checkpoint>; the two latest are kept.
// Whoever has read enough that was new stores it. Any number may do so at once:
// what one of them stores in vain, or removes, is made again from the events.
type Views struct {
	Events *events.Store
	Blobs  *blob.Store
	Every  int          // new commits after which it is stored again; 0: 1000
	Log    *slog.Logger // nil: slog.Default
}

const (
	processesView = "processes"
	viewsFolder   = "views/"
	viewEvery     = 1000
	viewsKept     = 2
	viewLimit     = 1 << 30 // bytes
)

// ViewNames lists the views that are stored.
func ViewNames() []string { return []string{processesView} }

// Processes lists the processes as they are now, the latest first.
func (v *Views) Processes(ctx context.Context, now time.Time) ([]Summary, error) {
	o, err := v.open(ctx)
	if err != nil {
		return nil, err
	}
	defer o.list.stop()
	commits, err := o.list.catchUp(ctx)
	if err != nil {
		return nil, err
	}
	every := v.Every
	if every == 0 {
		every = viewEvery
	}
	if commits >= every || len(o.bad) > 0 {
		if err := v.save(ctx, now, o.list, o.bad); err != nil && ctx.Err() == nil {
			logTo(v.Log).Warn("orchestrator: the list of processes was not stored; the next one who lists them reads the same again", "error", err)
		}
	}
	return o.list.all(), nil
}

// opened is a list that goes on where a stored one ends, or from zero.
type opened struct {
	list   *list
	key    string // of the stored one; "": from zero
	bytes  int
	stored storedView
	bad    []string // keys of what was passed over
}

// open finds the latest stored list that can be believed: the commit that it
// read last has to be where it was, as the first that the store feeds it.
func (v *Views) open(ctx context.Context) (opened, error) {
	var o opened
	keys, err := v.keys(ctx)
	if err != nil {
		logTo(v.Log).Warn("orchestrator: stored views cannot be listed; all events are read", "error", err)
	}
	for _, key := range slices.Backward(keys) {
		data, err := v.Blobs.ReadNamed(ctx, key, viewLimit)
		if err == nil {
			var byID map[string]*listed
			if o.stored, byID, err = decodeView(data); err == nil {
				o.list, err = v.goOn(ctx, byID, o.stored.Place)
			}
		}
		if err == nil {
			o.key, o.bytes = key, len(data)
			return o, nil
		}
		if isPassing(ctx, err) {
			return opened{}, fmt.Errorf("list processes: %w", err)
		}
		level := slog.LevelWarn
		if errors.Is(err, errOtherStore) { // as it happens with every archive of what was read last
			level = slog.LevelInfo
		}
		logTo(v.Log).Log(ctx, level, "orchestrator: a stored view is not believed", "blob", key, "reason", err)
		o.bad = append(o.bad, key)
	}
	o.list, err = newList(ctx, v.Events)
	return o, err
}

var errOtherStore = errors.New("the commit that it read last is not there any more, or it is of another store")

// goOn is a stored list that goes on with the commit after its last.
func (v *Views) goOn(ctx context.Context, byID map[string]*listed, at place) (*list, error) {
	l, err := follow(ctx, v.Events, byID, at)
	if err != nil {
		return nil, err
	}
	last, ready, err := l.feed.Next(ctx, false)
	if err == nil && (!ready || !at.of(last)) {
		err = errOtherStore
	}
	if err != nil {
		l.stop()
		return nil, err
	}
	return l, nil
}

func viewFolder(schema int) string {
	return fmt.Sprintf("%s%s/%d/", viewsFolder, processesView, schema)
}

// keys lists the stored lists of this schema, the latest last.
func (v *Views) keys(ctx context.Context) ([]string, error) {
	return v.Blobs.Names(ctx, viewFolder(viewSchema))
}

// save stores a list and removes what is bad, what is older than the two latest
// and what earlier versions of deed left. One in which something could not be
// read is not stored: a newer version, which can, would not read that again.
func (v *Views) save(ctx context.Context, now time.Time, l *list, bad []string) error {
	if l.unknown || l.at.At == 0 {
		return nil
	}
	for _, key := range bad {
		if err := v.Blobs.Remove(ctx, key); err != nil {
			return err
		}
	}
	data, err := l.encode(now)
	if err != nil {
		return err
	}
	err = v.Blobs.StoreNamed(ctx, fmt.Sprintf("%s%020d", viewFolder(viewSchema), l.at.At), data)
	if err != nil && !errors.Is(err, blob.ErrExists) { // somebody else was as far
		return fmt.Errorf("store the view %q: %w", processesView, err)
	}
	keys, err := v.keys(ctx)
	if err != nil {
		return err
	}
	old, err := v.outdated(ctx)
	if err != nil {
		return err
	}
	for _, key := range append(old, keys[:max(len(keys)-viewsKept, 0)]...) {
		if err := v.Blobs.Remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// outdated lists what has an earlier schema.
func (v *Views) outdated(ctx context.Context) (old []string, err error) {
	all, err := v.Blobs.Names(ctx, viewsFolder+processesView+"/")
	for _, key := range all {
		schema, err := strconv.Atoi(path.Base(path.Dir(key)))
		if err == nil && schema < viewSchema && strings.Count(key, "/") == strings.Count(viewFolder(schema), "/") {
			old = append(old, key)
		}
	}
	return old, err
}
