package standard

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"path"
	"strconv"
)

// Task is what a handler sees of the task that it executes.
type Task interface {
	Param(name string) (value json.RawMessage, ok bool)
	Parts() iter.Seq2[Part, error] // of the one input, in order; an error is the last

	// Create starts a part of the one output. What is open when the handler fails is
	// discarded, so only what is complete is closed.
	Create(key, name string) (io.WriteCloser, error)

	Emit(value any) error               // value as JSON, as a part of the output
	Wants() string                      // the JSON type of the output's parts; "": any data
	Key() string                        // of the element or group that the task is about
	Directory() (dir string, err error) // private to the task, removed when it has ended
}

// Part is one of the parts that a task reads.
type Part struct {
	Key  string
	Name string
	Size int64 // bytes that Open reads
	Open func() (io.ReadCloser, error)
}

// where is what people call the i-th part.
func (p Part) where(i int) string {
	if p.Name == "" && p.Key == "" {
		return "part " + strconv.Itoa(i)
	}
	return path.Join(p.Key, p.Name)
}

// Handler executes one task.
type Handler func(ctx context.Context, t Task) error

// Handlers are all of them, by the name that a step runs.
func Handlers() map[string]Handler {
	return map[string]Handler{
		"deed/split":     split,
		"deed/concat":    concat,
		"deed/sort":      sortRecords,
		"deed/merge":     mergeSorted,
		"deed/partition": partition,
		"deed/count":     count,
		"deed/gzip":      transform(compressGzip),
		"deed/gunzip":    transform(expandGzip),
		"deed/zstd":      transform(compressZstd),
		"deed/unzstd":    transform(expandZstd),
	}
}
