package whole_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/deedrun/deed/worker"
)

// handlers add up numbers: split writes each under a key, sum adds those of a
// bucket, total adds the sums. One execution in eight fails. A negative number
// is refused for good.
func (w *world) handlers() *worker.Registry {
	reg := worker.NewRegistry()
	handle := func(name string, do func(ctx context.Context, t *worker.Task) error) {
		worker.Handle(reg, name, func(ctx context.Context, t *worker.Task) error {
			w.ran[t.ID()]++
			if w.random.IntN(8) == 0 {
				return fmt.Errorf("out of luck")
			}
			return do(ctx, t)
		})
	}
	handle("split", func(_ context.Context, t *worker.Task) error {
		n, err := sum(t, "numbers")
		if err != nil {
			return err
		}
		if n < 0 {
			return worker.Permanent(errors.New("no number for me"))
		}
		return writeNumber(t, "keyed", fmt.Sprintf("k%d", n%5), n)
	})
	handle("sum", func(_ context.Context, t *worker.Task) error {
		n, err := sum(t, "keyed")
		if err != nil {
			return err
		}
		return writeNumber(t, "sums", "", n)
	})
	handle("total", func(_ context.Context, t *worker.Task) error {
		n, err := sum(t, "sums")
		if err != nil {
			return err
		}
		return writeNumber(t, "total", "", n)
	})
	return reg
}

func sum(t *worker.Task, name string) (int, error) {
	total := 0
	for p, err := range t.Parts(name) {
		if err != nil {
			return 0, err
		}
		in, err := p.Open()
		if err != nil {
			return 0, err
		}
		data, err := io.ReadAll(in)
		if err := errors.Join(err, in.Close()); err != nil {
			return 0, err
		}
		var n int
		if err := json.Unmarshal(data, &n); err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

func writeNumber(t *worker.Task, name, key string, n int) error {
	out, err := t.CreateKeyed(name, key)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(out, n); err != nil {
		return err
	}
	return out.Close()
}
