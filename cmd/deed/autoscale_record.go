package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/autoscale"
	"github.com/deedrun/deed/queue"
)

// Decisions lie in the event store, in a stream a pool: whoever scales a pool,
// from whatever machine, tells it in one place. They are no part of any process.
const (
	scalePrefix = "autoscale-"
	decidedType = "autoscale-decided"
	maxUnkept   = 1000 // decisions, should the store be away; the oldest are dropped
)

// decided is a decision as it is stored and printed.
type decided struct {
	Pool string `json:"pool"`
	By   string `json:"by"` // who scales: host and process
	autoscale.Decision
}

func scaleStream(pool string) string { return scalePrefix + cmp.Or(pool, queue.DefaultLane) }

func (w *poolWatch) decided(d autoscale.Decision) decided {
	return decided{Pool: w.pool, By: fmt.Sprintf("%s-%d", w.host, os.Getpid()), Decision: d}
}

// note takes a decision to be stored at the next look.
func (w *poolWatch) note(d autoscale.Decision) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unkept = append(w.unkept, w.decided(d)); len(w.unkept) > maxUnkept {
		w.unkept = w.unkept[1:]
	}
}

// keep stores what was decided. If it cannot, it tries the same again at the next
// look: what was stored although no answer came is known by its commit, as long as
// nobody else told something meanwhile.
func (w *poolWatch) keep(ctx context.Context) {
	if len(w.batch) == 0 {
		w.mu.Lock()
		w.batch, w.unkept = w.unkept, nil
		w.mu.Unlock()
		w.commit = strings.ToLower(ulid.Make().String())
	}
	if len(w.batch) > 0 && store(ctx, w.runtime.Events, scaleStream(w.pool), w.commit, w.batch) == nil {
		w.batch = nil
	}
}

// keepRest stores what was decided last.
func (w *poolWatch) keepRest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	if w.open(ctx) == nil {
		w.keep(ctx) // what could not be stored before
		w.keep(ctx)
	}
}

func store(ctx context.Context, to *events.Store, stream, commit string, all []decided) error {
	records := make([]events.Record, len(all))
	for i, d := range all {
		data, err := json.Marshal(d)
		if err != nil {
			return err
		}
		records[i] = events.Record{Type: decidedType, Schema: 1, Data: data}
	}
	last, ok, err := to.Last(ctx, stream)
	switch {
	case err != nil:
		return err
	case ok && last.ID == commit:
		return nil
	}
	_, err = to.Append(ctx, stream, events.Exactly(last.Version()), commit, records...)
	return err
}

// printDecision prints one line.
func (a *app) printDecision(d decided) {
	if a.output == "json" {
		_ = json.NewEncoder(a.stdout).Encode(d) // who does not read does not keep the workers from being kept
		return
	}
	_, _ = fmt.Fprintf(a.stdout, "%s  %s\n", d.At.Local().Format(time.TimeOnly), printable(d.String()))
}
