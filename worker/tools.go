package worker

import (
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/task"
)

// tools is what all tasks of a worker share: what they read and write by, and what
// runs them.
type tools struct {
	worker   string // its name
	registry *Registry
	blobs    *blob.Store
	lists    *manifests
	secrets  Secrets
	log      *slog.Logger
	metrics  *metrics.Worker
	nonce    func() string
	grace    time.Duration   // of programs
	hurry    <-chan struct{} // closed: programs are killed without grace
	temp     string
	files    *fileCache
	guard    *guard
	kept     *keptPrograms
	free     func() task.Resources // what nothing needs that is executed
	unstored sync.Once             // saying that logs cannot be stored
}

func newTools(w *Worker) *tools {
	t := &tools{
		worker:   w.opt.Name,
		registry: w.opt.Registry,
		blobs:    w.opt.Blobs,
		lists:    &manifests{blobs: w.opt.Blobs},
		secrets:  w.opt.Secrets,
		log:      w.opt.Log,
		metrics:  w.opt.Metrics,
		nonce:    w.opt.Nonce,
		grace:    w.opt.ProgramGrace,
		hurry:    w.hurry,
		temp:     w.opt.TempDir,
		files:    newFileCache(w.opt.Blobs, w.opt.TempDir),
		guard:    &guard{log: w.opt.Log, mark: rand.Text()},
		free: func() task.Resources {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.free()
		},
	}
	t.kept = &keptPrograms{tools: t, most: w.opt.Slots, patience: w.opt.KeepIdle}
	return t
}

// close releases what programs needed. No task runs any more.
func (t *tools) close() {
	t.kept.close()
	t.guard.close()
	if err := t.files.close(); err != nil {
		t.log.Warn("worker: removing the cache of files failed", "error", err)
	}
}
