package steps

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/deedrun/deed/examples/forecast/backtest"
	"github.com/deedrun/deed/examples/forecast/models"
	"github.com/deedrun/deed/worker"
)

// Register offers the handlers of this package.
func Register(reg *worker.Registry) {
	worker.Handle(reg, "forecast/split", lasting(split))
	for _, m := range models.All {
		worker.Handle(reg, "forecast/"+m.Name, lasting(fit(m)))
	}
	worker.Handle(reg, "forecast/choose", lasting(choose))
	worker.Handle(reg, "forecast/report", lasting(report))
	worker.Handle(reg, "forecast/publish", lasting(publish))
	worker.Handle(reg, "forecast/draw", lasting(draw))
}

// lasting makes it permanent that an input is malformed: it stays so.
func lasting(handler worker.HandlerFunc) worker.HandlerFunc {
	return func(ctx context.Context, t *worker.Task) error {
		err := handler(ctx, t)
		var malformed *backtest.MalformedError
		if errors.As(err, &malformed) {
			return worker.Permanent(err)
		}
		return err
	}
}

// plan reads the parameters.
func plan(t *worker.Task) (backtest.Plan, error) {
	var p backtest.Plan
	err := errors.Join(t.Param("horizon", &p.Horizon), t.Param("validation", &p.Validation), t.Param("test", &p.Test))
	if err != nil {
		return p, worker.Permanent(err)
	}
	return p, nil
}

// each reads all parts of an input, one after the other.
func each[T any](t *worker.Task, local string, read func(io.Reader) (T, error), use func(T) error) error {
	for part, err := range t.Parts(local) {
		if err != nil {
			return err
		}
		in, err := part.Open()
		if err != nil {
			return err
		}
		value, err := read(in)
		if err := errors.Join(err, in.Close()); err != nil {
			return fmt.Errorf("read %q, part %q with key %q: %w", local, part.Name, part.Key, err)
		}
		if err := use(value); err != nil {
			return err
		}
	}
	return nil
}

// write writes a part with the key and name of the element.
func write(t *worker.Task, local string, content func(io.Writer) error) error {
	out, err := t.Create(local)
	return finish(out, err, content)
}

// writeNamed writes a part with a key and a name of its own.
func writeNamed(t *worker.Task, local, key, name string, content func(io.Writer) error) error {
	out, err := t.CreateNamed(local, key, name)
	return finish(out, err, content)
}

// finish fills a part that was created; only the error of Close says that it
// is stored.
func finish(out *worker.Output, err error, content func(io.Writer) error) error {
	if err != nil {
		return err
	}
	return errors.Join(content(out), out.Close())
}
