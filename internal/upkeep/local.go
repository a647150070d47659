package upkeep

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/internal/cached"
	"github.com/deedrun/deed/internal/gc"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

// local does it in this process.
type local struct {
	r      *deed.Runtime
	tokens *access.Tokens
}

func (l local) Due(ctx context.Context, before time.Time, name string) ([]orchestrator.Due, error) {
	if before.IsZero() {
		return l.r.Archive.DueBy(ctx, time.Now())
	}
	return l.r.Archive.EndedBefore(ctx, before, name)
}

func (l local) Archive(ctx context.Context, id string, who wire.Asked) (wire.Archived, error) {
	archived, changed, err := l.r.Archive.Put(ctx, id, who.Process(), time.Now())
	return wire.ArchivedOf(archived, changed), err
}

func (l local) RemoveArchive(ctx context.Context, id string, who wire.Asked) (wire.Archived, error) {
	changed, err := l.r.Archive.Remove(ctx, id, who.Process(), time.Now())
	return wire.Archived{ID: id, Removed: true, Changed: changed}, err
}

func (l local) ImportArchive(ctx context.Context, file io.ReadSeeker, who wire.Asked) (wire.Archived, error) {
	archived, changed, err := l.r.Archive.Import(ctx, file, who.Process(), time.Now())
	return wire.ArchivedOf(archived, changed), err
}

func (l local) SetRetention(ctx context.Context, set orchestrator.Retention) error {
	return orchestrator.SetRetention(ctx, l.r.Events, set)
}

func (l local) UnsetRetention(ctx context.Context, name string, who wire.Asked) (known bool, err error) {
	return orchestrator.UnsetRetention(ctx, l.r.Events, name, who.Process(), time.Now())
}

func (l local) ViewStatus(ctx context.Context) ([]orchestrator.ViewStatus, error) {
	return l.r.Views().Status(ctx)
}

func (l local) RebuildViews(ctx context.Context) (orchestrator.Rebuilt, error) {
	return l.r.Views().Rebuild(ctx, time.Now())
}

func (l local) CollectGarbage(ctx context.Context, by wire.GC) (wire.GCReport, error) {
	o := gc.Options{Delete: by.Delete, Log: l.r.Views().Log}
	if by.Grace != nil {
		o.Grace = max(time.Duration(*by.Grace), time.Nanosecond) // none; zero would be the default
	}
	if by.CacheFor != nil {
		o.CacheFor = time.Duration(*by.CacheFor)
	}
	return gc.Collect(ctx, l.r.Archive, o)
}

func (l local) ClearCache(ctx context.Context, process, address string) (cleared int, err error) {
	return cached.Clear(ctx, l.r.Blobs.Cache(), process, address)
}

func (l local) Quarantine(ctx context.Context) ([]wire.Quarantined, error) {
	q, err := l.r.Quarantine()
	if err != nil {
		return nil, err
	}
	return q.All(ctx)
}

func (l local) Quarantined(ctx context.Context, number uint64) (m wire.Quarantined, ok bool, err error) {
	q, err := l.r.Quarantine()
	if err != nil {
		return m, false, err
	}
	return q.Get(ctx, number)
}

func (l local) RetryQuarantined(ctx context.Context, number uint64) (ok bool, err error) {
	q, err := l.r.Quarantine()
	if err != nil {
		return false, err
	}
	return q.Retry(ctx, number)
}

func (l local) DrainWorker(ctx context.Context, name string) error {
	body, err := json.Marshal(task.Drain{Worker: name})
	if err == nil {
		err = l.r.Signals.Publish(ctx, task.TopicDrain, body)
	}
	if err != nil {
		return fmt.Errorf("drain worker %q: %w", name, err)
	}
	return nil
}
