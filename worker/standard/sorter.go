package standard

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// sorter sorts records by their keys, those of equal keys in the order in which
// they came. What has no room in memory waits on disk, as runs that are sorted.
type sorter struct {
	ctx     context.Context
	task    Task
	whole   bool // the key of a record is its content: it is kept once
	reverse bool
	unique  bool
	first   int // 0: all
	room    int64

	arena   []byte
	entries []entry
	runs    []string // files, in the order of what they hold
	made    int
}

// entry is a key and its record, side by side in the arena.
type entry struct {
	prefix uint64 // of the key, so that most comparisons need nothing else
	at     int
	key    uint32
	record uint32
}

const entrySize = 24

// reserve says how much memory may be used for these parts.
func (s *sorter) reserve(room int64, parts []Part) {
	s.room = room
	var need int64
	for _, p := range parts {
		need += 2 * p.Size // a record and its key
	}
	s.arena = make([]byte, 0, min(room, need))
}

// add takes a copy of both.
func (s *sorter) add(key, record []byte) error {
	need := len(record)
	if !s.whole {
		need += len(key)
	}
	if len(s.entries) > 0 && int64(len(s.arena)+need+(len(s.entries)+1)*entrySize) > s.room {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.entries = append(s.entries, entry{prefixOf(key), len(s.arena), uint32(len(key)), uint32(len(record))})
	if !s.whole {
		s.arena = append(s.arena, key...)
	}
	s.arena = append(s.arena, record...)
	return nil
}

func prefixOf(key []byte) uint64 {
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

func (s *sorter) pair(e entry) pair {
	key := s.arena[e.at : e.at+int(e.key)]
	if s.whole {
		return pair{key, s.arena[e.at : e.at+int(e.record)]}
	}
	return pair{key, s.arena[e.at+int(e.key) : e.at+int(e.key)+int(e.record)]}
}

// sorted hands out what is in memory, in order.
func (s *sorter) sorted(to *sink) error {
	slices.SortFunc(s.entries, func(a, b entry) int {
		c := cmp.Compare(a.prefix, b.prefix)
		if c == 0 {
			c = bytes.Compare(s.arena[a.at:a.at+int(a.key)], s.arena[b.at:b.at+int(b.key)])
		}
		if s.reverse {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(a.at, b.at))
	})
	for _, e := range s.entries {
		if err := to.put(s.pair(e)); err != nil {
			return enough(err)
		}
	}
	return nil
}

// spill moves what is in memory to a run on disk.
func (s *sorter) spill() error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	file, err := s.newRun()
	if err != nil {
		return err
	}
	w, err := writeRun(file, s.whole)
	if err != nil {
		return err
	}
	if err := closing(s.sorted(s.sink(w.put)), w); err != nil {
		return err
	}
	s.runs = append(s.runs, file)
	s.arena, s.entries = s.arena[:0], s.entries[:0]
	return nil
}

func (s *sorter) newRun() (file string, err error) {
	dir, err := s.task.Directory()
	s.made++
	return filepath.Join(dir, "run-"+strconv.Itoa(s.made)), err
}

func (s *sorter) sink(put func(pair) error) *sink {
	return &sink{unique: s.unique, first: s.first, pass: put}
}

// finish hands out everything in order.
func (s *sorter) finish(put func(pair) error) error {
	if len(s.runs) == 0 {
		return s.sorted(s.sink(put))
	}
	if len(s.entries) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.arena, s.entries = nil, nil // merging needs little
	for len(s.runs) > fanIn {
		if err := s.mergeSome(); err != nil {
			return err
		}
	}
	return s.mergeRuns(s.runs, put)
}

// mergeSome makes longer runs of what is on disk, of neighbours, so that equal keys
// stay in their order.
func (s *sorter) mergeSome() error {
	var longer []string
	for some := range slices.Chunk(s.runs, fanIn) {
		file, err := s.newRun()
		if err != nil {
			return err
		}
		w, err := writeRun(file, s.whole)
		if err != nil {
			return err
		}
		if err := closing(s.mergeRuns(some, w.put), w); err != nil {
			return err
		}
		longer = append(longer, file)
	}
	s.runs = longer
	return nil
}

// mergeRuns merges runs, and removes them.
func (s *sorter) mergeRuns(files []string, put func(pair) error) (err error) {
	var streams []stream
	defer func() {
		for i, r := range streams {
			err = closing(err, r.(*runReader))
			if err == nil {
				err = os.Remove(files[i])
			}
		}
	}()
	for _, file := range files {
		r, err := readRun(file, s.whole)
		if err != nil {
			return err
		}
		streams = append(streams, r)
	}
	return merge(s.ctx, streams, s.reverse, s.sink(put))
}
