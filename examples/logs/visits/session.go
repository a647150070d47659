package visits

import (
	"strconv"
	"time"
)

// Session is what a visitor did without a long pause.
type Session struct {
	Visitor     string
	Start, End  time.Time
	Requests    int
	Pages       int
	Bytes       int64
	Entry, Exit string // the first page and the last; "" if there was none
}

// sessions cuts requests, which come by visitor and time, where gap or more lies
// between two of them.
type sessions struct {
	gap  time.Duration
	emit func(Session) error

	open bool
	now  Session
}

func (s *sessions) add(r Request) error {
	if s.open && (s.now.Visitor != r.Visitor || r.Time.Sub(s.now.End) >= s.gap) {
		if err := s.end(); err != nil {
			return err
		}
	}
	if !s.open {
		s.open, s.now = true, Session{Visitor: r.Visitor, Start: r.Time}
	}
	s.now.End = r.Time
	s.now.Requests++
	s.now.Bytes += r.Bytes
	if r.IsPage() {
		if s.now.Pages++; s.now.Pages == 1 {
			s.now.Entry = r.Path
		}
		s.now.Exit = r.Path
	}
	return nil
}

func (s *sessions) end() error {
	if !s.open {
		return nil
	}
	s.open = false
	return s.emit(s.now)
}

func (s Session) row() []string {
	return []string{
		s.Start.UTC().Format(time.RFC3339), s.Visitor, strconv.Itoa(s.Requests), strconv.Itoa(s.Pages),
		strconv.Itoa(int(s.End.Sub(s.Start) / time.Second)), strconv.FormatInt(s.Bytes, 10), s.Entry, s.Exit,
	}
}
