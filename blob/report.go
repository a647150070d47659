package blob

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/deedrun/deed/task"
)

// WriteReport stores what an execution produced, in the order of creation,
// under a key that does not exist yet.
func (s *Store) WriteReport(ctx context.Context, key string, produced []task.Produced) (task.Ref, error) {
	w, err := s.Create(ctx, key)
	if err != nil {
		return task.Ref{}, err
	}
	defer w.Abort()
	var line []byte
	for i, p := range produced {
		if line, err = reportLine(line[:0], p); err != nil {
			return task.Ref{}, fmt.Errorf("write report %q: entry %d: %w", key, i, err)
		}
		if _, err := w.Write(line); err != nil {
			return task.Ref{}, err
		}
	}
	if err := w.Close(); err != nil {
		return task.Ref{}, err
	}
	return w.Ref(), nil
}

// reportLine appends a line of a report.
func reportLine(b []byte, p task.Produced) ([]byte, error) {
	if err := checkProduced(p); err != nil {
		return nil, err
	}
	part, err := normal(p.Part)
	if err != nil {
		return nil, err
	}
	p.Part = part
	return encodeProduced(b, p)
}

// ReadReport yields what WriteReport stored, in that order. It verifies while
// it streams: an error, which is the last thing it yields, means that nothing
// yielded before is to be trusted either.
func (s *Store) ReadReport(ctx context.Context, ref task.Ref) iter.Seq2[task.Produced, error] {
	return func(yield func(task.Produced, error) bool) {
		r, err := s.Open(ctx, ref)
		if err != nil {
			yield(task.Produced{}, err)
			return
		}
		defer r.Close()
		lines := newLineReader(r)
		for {
			var p task.Produced
			err := lines.read(func(line []byte) (err error) {
				p, err = decodeProduced(line)
				return err
			})
			if err == io.EOF {
				return
			}
			if err == nil {
				err = lines.check(checkProduced(p))
			}
			if err != nil {
				yield(task.Produced{}, fmt.Errorf("read report %q: %w", ref.Key, err))
				return
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}

func checkProduced(p task.Produced) error {
	if err := checkIndex(p.Index); err != nil {
		return err
	}
	return checkPart(p.Part)
}

func checkIndex(index int) error {
	if index < 0 || index > task.MaxIndex {
		return fmt.Errorf("%d is no task index (0 to %d)", index, task.MaxIndex)
	}
	return nil
}
