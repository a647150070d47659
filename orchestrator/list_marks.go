package orchestrator

import (
	"iter"
	"math/bits"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// marks is a set of tasks of a step that costs a bit each, however scattered they
// come: eight bytes at a time, of which the last are not empty, so that equal sets
// are equal bytes. It takes none that no step can have: a history that was altered
// may name any.
type marks []byte

func (m *marks) add(tasks task.Ranges) {
	for at, in := range markedBytes(tasks) {
		if at >= len(*m) {
			end := min(tasks[len(tasks)-1].End(), process.MaxTasks)
			*m = append(*m, make(marks, (end+63)/64*8-len(*m))...)
		}
		(*m)[at] |= in
	}
}

func (m *marks) remove(tasks task.Ranges) {
	all := *m
	for at, in := range markedBytes(tasks) {
		if at >= len(all) {
			break
		}
		all[at] &^= in
	}
	for len(all) >= 8 && [8]byte(all[len(all)-8:]) == [8]byte{} {
		all = all[:len(all)-8]
	}
	*m = all
}

// markedBytes yields the bytes of a set that some tasks are in, and their bits there.
func markedBytes(tasks task.Ranges) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		for _, r := range tasks {
			last := min(r.End(), process.MaxTasks)
			for first := r.First; first < last; {
				at, bit := first/8, first%8
				n := min(8-bit, last-first)
				if !yield(at, byte(0xff)>>(8-n)<<bit) {
					return
				}
				first += n
			}
		}
	}
}

func (m marks) count() int {
	n := 0
	for _, b := range m {
		n += bits.OnesCount8(b)
	}
	return n
}
