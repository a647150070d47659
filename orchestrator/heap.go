package orchestrator

// placed is what stands in a heap: in its order, and told its place, -1 when it is
// taken out.
type placed[T any] interface {
	before(other T) bool
	stand(place int)
}

// heapOf is a heap for container/heap.
type heapOf[T placed[T]] []T

// first is the one that is next; the zero T: there is none.
func (h heapOf[T]) first() (next T) {
	if len(h) > 0 {
		next = h[0]
	}
	return next
}

func (h heapOf[T]) Len() int           { return len(h) }
func (h heapOf[T]) Less(i, j int) bool { return h[i].before(h[j]) }

func (h heapOf[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].stand(i)
	h[j].stand(j)
}

func (h *heapOf[T]) Push(x any) {
	x.(T).stand(len(*h))
	*h = append(*h, x.(T))
}

func (h *heapOf[T]) Pop() any {
	old, none := *h, *new(T)
	last := old[len(old)-1]
	old[len(old)-1], *h = none, old[:len(old)-1]
	last.stand(-1)
	return last
}
