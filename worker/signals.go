package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// ears listens to the signals that are for workers.
type ears struct{ cancels, rollcalls, drains queue.Listener }

func (w *Worker) listen() (*ears, error) {
	e := &ears{}
	for _, signal := range []struct {
		topic string
		ear   *queue.Listener
	}{{task.TopicCancel, &e.cancels}, {task.TopicRollCall, &e.rollcalls}, {task.TopicDrain, &e.drains}} {
		listener, err := w.opt.Signals.Subscribe(signal.topic)
		if err != nil {
			e.stop()
			return nil, fmt.Errorf("listen to %q: %w", signal.topic, err)
		}
		*signal.ear = listener
	}
	return e, nil
}

func (e *ears) stop() {
	for _, listener := range []queue.Listener{e.cancels, e.rollcalls, e.drains} {
		if listener != nil { // it was subscribed
			listener.Stop()
		}
	}
}

// signalling says what the worker holds, and hears what is said to it.
func (w *Worker) signalling(ctx context.Context, e *ears) {
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	cancels, rollcalls, drains, leave := e.cancels.C(), e.rollcalls.C(), e.drains.C(), w.leave
	err := w.heartbeat(ctx, false)
	for {
		if err != nil && ctx.Err() == nil {
			w.opt.Metrics.Failed(metrics.Signalling)
			w.opt.Log.Warn("worker: a signal failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case body, ok := <-cancels:
			if !ok {
				cancels, err = nil, errors.New("the listener for cancels ended")
				continue
			}
			err = w.cancelled(ctx, body)
		case _, ok := <-rollcalls:
			if !ok {
				rollcalls, err = nil, errors.New("the listener for roll calls ended")
				continue
			}
			err = w.heartbeat(ctx, false)
		case body, ok := <-drains:
			if !ok {
				drains, err = nil, errors.New("the listener for drains ended")
				continue
			}
			err = w.drained(body)
		case <-leave: // said at once, so that nothing more is meant for it
			leave = nil
			w.refuse()
			err = w.heartbeat(ctx, false)
		case <-tick.C:
			w.handBackIdle()
			err = w.heartbeat(ctx, false)
		}
	}
}

// hear handles the signals that arrived, for Step.
func (w *Worker) hear(ctx context.Context) error {
	for {
		select {
		case body, ok := <-w.steps.ears.cancels.C():
			if !ok {
				return nil
			}
			if err := w.cancelled(ctx, body); err != nil {
				return err
			}
		case _, ok := <-w.steps.ears.rollcalls.C():
			if !ok {
				return nil
			}
			if err := w.heartbeat(ctx, false); err != nil {
				return err
			}
		case body, ok := <-w.steps.ears.drains.C():
			if !ok {
				return nil
			}
			if err := w.drained(body); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// cancelled gives up what the signal covers of what the worker holds, begun or
// not, and acknowledges it: nobody needs to do it.
func (w *Worker) cancelled(ctx context.Context, body []byte) error {
	var signal task.Cancel
	if err := json.Unmarshal(body, &signal); err != nil {
		return fmt.Errorf("decode a cancel signal: %w", err)
	}
	w.mu.Lock()
	var deliveries []queue.Delivery
	log := w.opt.Log.With("process", signal.Process)
	for h := range w.held {
		if h.work.Process == signal.Process && signal.Covers(h.work.Address, h.work.Generation) {
			w.forget(h, errCancelled)
			if id := tracing.ID(h.trace); id != "" && len(deliveries) == 0 {
				log = log.With("trace_id", id)
			}
			deliveries = append(deliveries, h.delivery)
		}
	}
	w.mu.Unlock()
	if len(deliveries) == 0 {
		return nil
	}
	log.Info("worker: tasks were cancelled", "messages", len(deliveries))
	if err := w.opt.Work.Ack(ctx, deliveries...); err != nil {
		return fmt.Errorf("acknowledge what was cancelled of process %q: %w", signal.Process, err)
	}
	return nil
}

// drained makes the worker leave if the signal names it.
func (w *Worker) drained(body []byte) error {
	var signal task.Drain
	if err := json.Unmarshal(body, &signal); err != nil {
		return fmt.Errorf("decode a drain signal: %w", err)
	}
	if signal.Worker == w.opt.Name {
		w.told.Store(true)
		w.Drain()
	}
	return nil
}
