package orchestrator

import (
	"encoding/binary"
	"errors"
	"iter"
	"math/bits"
	"slices"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// marks is a set of tasks of a step that costs a bit each, however scattered they
// come. It takes none that no step can have: a history that was altered may name
// any.
type marks []uint64

func (m *marks) add(tasks task.Ranges) {
	for word, in := range markedWords(tasks) {
		if word >= len(*m) {
			end := min(tasks[len(tasks)-1].End(), process.MaxTasks)
			*m = append(*m, make(marks, (end+63)/64-len(*m))...)
		}
		(*m)[word] |= in
	}
}

func (m marks) remove(tasks task.Ranges) {
	for word, in := range markedWords(tasks) {
		if word >= len(m) {
			return
		}
		m[word] &^= in
	}
}

// markedWords yields the words of a set that some tasks are in, and their bits there.
func markedWords(tasks task.Ranges) iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		for _, r := range tasks {
			last := min(r.End(), process.MaxTasks)
			for first := r.First; first < last; {
				word, bit := first/64, first%64
				n := min(64-bit, last-first)
				if !yield(word, ^uint64(0)>>(64-n)<<bit) {
					return
				}
				first += n
			}
		}
	}
}

func (m marks) count() int {
	n := 0
	for _, word := range m {
		n += bits.OnesCount64(word)
	}
	return n
}

// bytes is the set without the empty words at its end: equal sets, equal bytes.
func (m marks) bytes() []byte {
	for len(m) > 0 && m[len(m)-1] == 0 {
		m = m[:len(m)-1]
	}
	var b []byte
	for _, word := range m {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	return b
}

func marksOf(b []byte) (marks, error) {
	if len(b)%8 != 0 {
		return nil, errors.New("the set of what was skipped is torn")
	}
	var m marks
	for word := range slices.Chunk(b, 8) {
		m = append(m, binary.LittleEndian.Uint64(word))
	}
	return m, nil
}
