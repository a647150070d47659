package deed

import (
	"context"
	"fmt"
	"os"

	"github.com/deedrun/deed/internal/folder"
	"github.com/deedrun/deed/worker"
)

// startWorker makes this runtime a worker, of one lane of the work queue.
func (r *Runtime) startWorker(ctx context.Context) error {
	scratch := ""
	if r.options.Dir != "" {
		data, err := folder.Open(r.options.Dir, false)
		if err != nil {
			return err
		}
		if scratch, err = data.Scratch(); err != nil {
			return fmt.Errorf("open folder %q: %w", r.options.Dir, err)
		}
		r.closers = append(r.closers, func() { _ = os.RemoveAll(scratch) })
	}
	o := r.options
	if o.Allow == nil && o.Server != "" {
		o.Allow = []string{}
	}
	if o.Secrets == nil {
		o.Secrets = worker.LocalSecrets(o.SecretsDir, o.Log)
	}
	lane, bad, err := r.takesFrom(ctx)
	if err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	w, err := worker.New(worker.Options{
		Work: lane, Inbox: r.Inbox, Signals: r.Signals, Quarantine: bad, Blobs: r.Blobs, Registry: o.Handlers,
		Version: o.Version, Pool: o.Pool, AnyPool: o.Pool == "" && !o.Join && o.Server == "", Slots: o.Workers, Offer: o.Offer, Only: o.Only,
		Allow: o.Allow, AllowEnv: o.AllowEnv, Secrets: o.Secrets,
		DrainTimeout: o.DrainTimeout, TempDir: scratch, Log: o.Log, Metrics: o.Metrics.Worker(), Tracer: o.Tracer, Failpoint: o.Failpoint,
	})
	if err != nil {
		return err
	}
	r.worker = w
	r.worked = make(chan struct{})
	r.running.Go(func() {
		defer close(r.worked)
		if err := w.Run(context.Background()); err != nil { // until it is drained or closed
			o.Log.Error("worker ended", "error", err)
		}
	})
	return nil
}
