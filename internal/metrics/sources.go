package metrics

import "sync"

// sources are those that can say what is there now: mostly one, and for a moment
// none, or two, when one role follows another in the same process.
type sources[T any] struct {
	mu   sync.Mutex
	last int
	all  map[int]T
}

// attach adds a source until it is detached, which may be done twice.
func (s *sources[T]) attach(source T) (detach func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[int]T{}
	}
	s.last++
	number := s.last
	s.all[number] = source
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, number)
	}
}

// each lists the sources there are. They are asked without the lock.
func (s *sources[T]) each() []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]T, 0, len(s.all))
	for _, source := range s.all {
		all = append(all, source)
	}
	return all
}
