package wordcount

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/deedrun/deed/task"
)

// Plain counts the words of the files in a folder without deed, with so many
// goroutines. What it writes lies in the folder out.
func Plain(ctx context.Context, texts, out string, workers int) (Result, error) {
	files, err := os.ReadDir(texts)
	if err != nil {
		return Result{}, err
	}
	p := plain{out: out, workers: workers}
	read := make([]task.Part, len(files))
	dealt := make([][buckets]task.Part, len(files))
	if err := p.each(ctx, len(files), func(i int) error {
		return p.count(filepath.Join(texts, files[i].Name()), &read[i], &dealt[i])
	}); err != nil {
		return Result{}, fmt.Errorf("count: %w", err)
	}
	lists := byBucket(dealt)
	sums := make([]task.Part, len(lists))
	if err := p.each(ctx, len(lists), func(i int) error {
		return p.addUp(lists[i], &sums[i])
	}); err != nil {
		return Result{}, fmt.Errorf("add up: %w", err)
	}
	var counts task.Part
	to, err := p.create("counts", task.Part{}, &counts)
	if err == nil {
		err = merge(p.open(sums), to)
	}
	if err != nil {
		return Result{}, fmt.Errorf("merge: %w", err)
	}
	return Result{
		SHA256: counts.Ref.SHA256, Bytes: counts.Ref.Size,
		Texts: data(task.Inline(read)), Lists: data(task.Inline(slices.Concat(lists...))), Sums: data(task.Inline(sums)),
	}, nil
}

// plain is the program without deed.
type plain struct {
	out     string
	workers int
}

// each does n things in so many goroutines as there are workers, and returns
// when all are done.
func (p *plain) each(ctx context.Context, n int, do func(i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(p.workers)
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(i)
		})
	}
	return group.Wait()
}

// count writes the lists of a text, and says what the text is.
func (p *plain) count(path string, text *task.Part, lists *[buckets]task.Part) error {
	name := filepath.Base(path)
	f, err := openFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	err = count(f, func(b int) (io.WriteCloser, error) {
		return p.create(filepath.Join("lists", name, bucketKey(b)), task.Part{Key: bucketKey(b), Name: name}, &lists[b])
	})
	*text = task.Part{Name: name, Ref: f.ref()}
	return err
}

// byBucket are the lists of each bucket that has any, in the order of the texts.
func byBucket(dealt [][buckets]task.Part) (lists [][]task.Part) {
	for b := range buckets {
		var of []task.Part
		for text := range dealt {
			if list := dealt[text][b]; list.Ref != nil {
				of = append(of, list)
			}
		}
		if len(of) > 0 {
			lists = append(lists, of)
		}
	}
	return lists
}

// addUp writes the sum of the lists of a bucket.
func (p *plain) addUp(lists []task.Part, sum *task.Part) error {
	key := lists[0].Key
	out, err := p.create(filepath.Join("sums", key), task.Part{Key: key}, sum)
	if err != nil {
		return err
	}
	return addUp(p.open(lists), out)
}

// open opens the files of parts, one after the other.
func (p *plain) open(parts []task.Part) iter.Seq2[io.ReadCloser, error] {
	return func(yield func(io.ReadCloser, error) bool) {
		for _, part := range parts {
			f, err := openFile(filepath.Join(p.out, part.Ref.Key))
			if err == nil {
				f.wants = part.Ref
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}
