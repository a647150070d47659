package worker

import (
	"context"
	"sync"
	"time"

	"github.com/deedrun/deed/blob"
)

// logEvery is how old a line may get before it can be followed from elsewhere.
const logEvery = 2 * time.Second

// printed stores what an execution prints. It is made with the first byte: an
// execution that prints nothing costs nothing.
type printed struct {
	mu     sync.Mutex
	log    *blob.LogWriter
	closed bool
}

// record takes what the execution prints, until it ends.
func (t *Task) record(stream blob.LogStream, p []byte) {
	if log := t.printedLog(len(p)); log != nil {
		log.Write(stream, p)
	}
}

func (t *Task) printedLog(size int) *blob.LogWriter {
	t.printed.mu.Lock()
	defer t.printed.mu.Unlock()
	if t.printed.log == nil && !t.printed.closed && size > 0 {
		name := blob.LogName{Attempt: t.work.At(t.index), Nonce: t.execution()}
		t.printed.log = t.blobs.CreateLog(t.ctx, name, blob.LogOptions{Now: t.now, Every: t.logEvery})
	}
	return t.printed.log
}

// endLog stores the rest of what was printed, also of a task whose context
// ended. A log that cannot be stored never fails a task.
func (t *Task) endLog() {
	t.printed.mu.Lock()
	log := t.printed.log
	t.printed.closed = true
	t.printed.mu.Unlock()
	if log == nil {
		return
	}
	ctx := context.WithoutCancel(t.ctx)
	if ended(t.hurry) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, flushHurried)
		defer cancel()
	}
	if err := log.Close(ctx); err != nil {
		t.unstored.Do(func() {
			t.log.Warn("worker: what a task printed could not be stored, and is missing in its log; this is said once", t.inLog("error", err)...)
		})
	}
}
