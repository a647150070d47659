package blob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	gcblob "gocloud.dev/blob"
)

const (
	logPage      = 10_000            // keys listed at a time
	maxChunkRead = 2 * logChunkBytes // no chunk is longer
)

// Log is a log that is stored, perhaps still being written.
type Log struct {
	LogName
	Chunks  int
	Bytes   int64     // as stored
	Changed time.Time // when the last chunk was stored
}

// Logs lists the logs of a process, or of the steps at an address of it,
// ordered by address, generation, index, attempt and nonce. Executions that
// printed nothing have none.
func (s *Store) Logs(ctx context.Context, process, address string) ([]Log, error) {
	prefix := processLogs(process)
	if address != "" {
		prefix = stepLogs(process, address)
	}
	logs, err := s.logs(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("list the logs of %q: %w", clip(process), err)
	}
	return logs, nil
}

// TaskLogs lists the logs of one task, ordered like [Store.Logs]. It does not
// look at those of other tasks.
func (s *Store) TaskLogs(ctx context.Context, process, address string, index int) ([]Log, error) {
	var all []Log
	generations := s.list(ctx, stepLogs(process, address), "/")
	for object, err := range generations {
		var logs []Log
		if err == nil && object.IsDir {
			logs, err = s.logs(ctx, fmt.Sprintf("%s%d/", object.Key, index))
		}
		if err != nil {
			return nil, fmt.Errorf("list the logs of %q: %w", clip(process), err)
		}
		all = append(all, logs...)
	}
	slices.SortFunc(all, compareLogs)
	return all, nil
}

func (s *Store) logs(ctx context.Context, prefix string) ([]Log, error) {
	found := map[LogName]*Log{}
	for object, err := range s.list(ctx, prefix, "") {
		if err != nil {
			return nil, err
		}
		name, _, ok := parseChunkKey(object.Key)
		if !ok {
			continue
		}
		log := found[name]
		if log == nil {
			log = &Log{LogName: name}
			found[name] = log
		}
		log.Chunks++
		log.Bytes += object.Size
		if object.ModTime.After(log.Changed) {
			log.Changed = object.ModTime
		}
	}
	logs := make([]Log, 0, len(found))
	for _, log := range found {
		logs = append(logs, *log)
	}
	slices.SortFunc(logs, compareLogs)
	return logs, nil
}

func compareLogs(a, b Log) int {
	return cmp.Or(strings.Compare(a.Address, b.Address), cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.Index, b.Index),
		cmp.Compare(a.Attempt.Attempt, b.Attempt.Attempt), strings.Compare(a.Nonce, b.Nonce))
}

// list yields what lies under a prefix. An error is the last thing it yields.
func (s *Store) list(ctx context.Context, prefix, delimiter string) iter.Seq2[*gcblob.ListObject, error] {
	return func(yield func(*gcblob.ListObject, error) bool) {
		options := gcblob.ListOptions{Prefix: prefix, Delimiter: delimiter}
		for token := gcblob.FirstPageToken; len(token) > 0; {
			page, next, err := s.page(ctx, token, logPage, options)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, object := range page {
				if !yield(object, nil) {
					return
				}
			}
			token = next
		}
	}
}

// LogReader reads a log from its beginning, and goes on where it was when
// there is more. Not safe for concurrent use.
type LogReader struct {
	store *Store
	name  LogName
	next  int       // chunk
	at    time.Time // of the last line
}

// OpenLog is a reader of a log; whether there is any shows when it reads.
func (s *Store) OpenLog(name LogName) *LogReader { return &LogReader{store: s, name: name} }

// Lines yields the lines stored since the last call, in the order in which
// they were printed. What is missing, because a chunk is gone or torn, is said
// by a line of [LogGap] in its place. An error is of the store, and the last
// thing it yields; the chunk at which it happened is read again by the next
// call. A caller that breaks off skips the rest of a chunk.
func (r *LogReader) Lines(ctx context.Context) iter.Seq2[LogLine, error] {
	return func(yield func(LogLine, error) bool) {
		chunks, err := r.stored(ctx)
		if err != nil {
			yield(LogLine{}, fmt.Errorf("read the log of %s: %w", r.name, err))
			return
		}
		for _, n := range chunks {
			lines, err := r.chunk(ctx, n)
			if err != nil {
				yield(LogLine{}, fmt.Errorf("read the log of %s: %w", r.name, err))
				return
			}
			if n > r.next {
				lines = slices.Insert(lines, 0, gone(r.next, n-1))
			}
			r.next = n + 1
			for i := range lines {
				if !yield(r.timed(lines[i:]), nil) {
					return
				}
			}
		}
	}
}

// stored lists the chunks that were not read, in order.
func (r *LogReader) stored(ctx context.Context) ([]int, error) {
	var chunks []int
	for object, err := range r.store.list(ctx, r.name.folder(), "") {
		if err != nil {
			return nil, err
		}
		if name, n, ok := parseChunkKey(object.Key); ok && name == r.name && n >= r.next {
			chunks = append(chunks, n)
		}
	}
	slices.Sort(chunks)
	return chunks, nil
}

// chunk is the lines of a chunk, and what is wrong with it as the last one.
func (r *LogReader) chunk(ctx context.Context, n int) ([]LogLine, error) {
	key := r.name.chunkKey(n)
	in, err := r.store.named(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return []LogLine{gone(n, n)}, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(in, maxChunkRead))
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, readError("read blob", key, err)
	}
	text, whole := openChunk(data)
	var lines []LogLine
	for line := range strings.Lines(string(text)) {
		if l, ok := parseLine([]byte(strings.TrimSuffix(line, "\n"))); ok && l.Stream != logEnd {
			lines = append(lines, l)
		}
	}
	if !whole {
		lines = append(lines, LogLine{Stream: LogGap, Text: fmt.Sprintf("chunk %d of this log is torn or was altered: lines around here are missing or wrong", n)})
	}
	return lines, nil
}

// gone says that chunks are missing.
func gone(first, last int) LogLine {
	if last > first {
		return LogLine{Stream: LogGap, Text: fmt.Sprintf("chunks %d to %d of this log are gone", first, last)}
	}
	return LogLine{Stream: LogGap, Text: fmt.Sprintf("chunk %d of this log is gone", first)}
}

// timed is the first of the lines. What is said of a chunk has no time of its
// own, and gets that of the line before it, or else of one after it.
func (r *LogReader) timed(lines []LogLine) LogLine {
	line := lines[0]
	for i := 0; line.Time.IsZero() && i < len(lines); i++ {
		line.Time = r.at
		if r.at.IsZero() {
			line.Time = lines[i].Time
		}
	}
	r.at = line.Time
	return line
}
