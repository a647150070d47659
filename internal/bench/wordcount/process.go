package wordcount

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker"
)

const definition = `deed: v1
name: word-count
inputs: [texts]
steps:
  count: {run: bench/count, each: texts, out: [lists]}
  sum:   {run: bench/sum, each: lists by key, out: [sums]}
  merge: {run: bench/merge, in: [sums], out: [counts]}
outputs: [counts]
`

// Handlers offers what the process runs.
func Handlers() *worker.Registry {
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "bench/count", func(_ context.Context, t *worker.Task) error {
		text, err := t.Open("texts")
		if err != nil {
			return err
		}
		defer text.Close()
		return count(text, func(b int) (io.WriteCloser, error) { return t.CreateKeyed("lists", bucketKey(b)) })
	})
	worker.Handle(handlers, "bench/sum", func(_ context.Context, t *worker.Task) error {
		out, err := t.Create("sums")
		if err != nil {
			return err
		}
		return addUp(open(t.Parts("lists")), out)
	})
	worker.Handle(handlers, "bench/merge", func(_ context.Context, t *worker.Task) error {
		out, err := t.Create("counts")
		if err != nil {
			return err
		}
		return merge(open(t.Parts("sums")), out)
	})
	return handlers
}

// open opens parts, one after the other.
func open(parts iter.Seq2[worker.Part, error]) iter.Seq2[io.ReadCloser, error] {
	return func(yield func(io.ReadCloser, error) bool) {
		for part, err := range parts {
			var list io.ReadCloser
			if err == nil {
				list, err = part.Open()
			}
			if !yield(list, err) || err != nil {
				return
			}
		}
	}
}

// Job is the process over the files in a folder.
func Job(texts string) deed.Job {
	return deed.Job{Source: deed.MustParse(definition), Inputs: map[string]deed.Input{"texts": deed.Files(texts)}}
}

// ResultOf is what a process of [Job] wrote. The counts are read to their end,
// so that they are verified.
func ResultOf(ctx context.Context, r *deed.Result) (Result, error) {
	var found Result
	for part, err := range r.Parts(ctx, "counts") {
		if err != nil {
			return Result{}, err
		}
		counts, err := r.Open(ctx, part)
		if err != nil {
			return Result{}, err
		}
		defer counts.Close()
		if found.Bytes, err = io.Copy(io.Discard, counts); err != nil {
			return Result{}, err
		}
		found.SHA256 = part.Ref.SHA256
	}
	for name, to := range map[string]*Data{"texts": &found.Texts, "lists": &found.Lists, "sums": &found.Sums} {
		d, ok := r.State.Data(name)
		if !ok {
			return Result{}, fmt.Errorf("the process has no data named %q", name)
		}
		*to = data(d)
	}
	return found, nil
}
