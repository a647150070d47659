package autoscale

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

// sim is a pool in a world of its own: tasks arrive, a feeder keeps the queue
// short, workers execute, and a scaler looks every two seconds. Its clock goes
// in tenths of a second.
type sim struct {
	t      *testing.T
	scaler *Scaler
	slots  int                                // of a worker
	took   func(at time.Duration) float64     // seconds that a task takes which begins now
	arrive func(at time.Duration) (n float64) // tasks a second
	limit  int                                // tasks that may be out, whatever waits; 0: no limit
	away   func(at time.Duration) bool        // the orchestrator
	starts time.Duration                      // that a worker needs until it works

	at       time.Duration
	fraction float64
	waiting  int         // tasks that are not out
	queued   int         // tasks that are out, and with no worker
	workers  [][]simTask // by worker, by slot
	young    []time.Duration
	measured float64 // seconds
	random   *rand.Rand
	trace    []moment
	told     []Decision
}

// simTask is what a slot executes, in seconds; nothing is left of none.
type simTask struct{ took, left float64 }

type moment struct {
	at      time.Duration
	workers int
	tasks   int
}

const tick = 100 * time.Millisecond

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newSim(t *testing.T, l Limits) *sim {
	t.Helper()
	scaler, err := NewScaler(l)
	require.NoError(t, err)
	s := &sim{t: t, scaler: scaler, slots: l.Slots, starts: 300 * time.Millisecond, random: rand.New(rand.NewPCG(1, 2))}
	s.took = func(time.Duration) float64 { return 0.5 }
	s.arrive = func(time.Duration) float64 { return 0 }
	s.away = func(time.Duration) bool { return false }
	s.staff(scaler.Wanted())
	return s
}

// until lets time pass.
func (s *sim) until(end time.Duration) {
	for ; s.at < end; s.at += tick {
		s.work()
		s.fraction += s.arrive(s.at) * tick.Seconds()
		s.waiting += int(s.fraction)
		s.fraction -= float64(int(s.fraction))
		s.feed()
		if s.at%(2*time.Second) == 0 {
			s.look()
		}
		s.staff(s.scaler.Wanted())
	}
}

// work passes a tick for what runs, and begins what waits for a slot.
func (s *sim) work() {
	for i, slots := range s.workers {
		for j := range slots {
			if slots[j].left > 0 {
				if slots[j].left -= tick.Seconds(); slots[j].left <= 1e-9 {
					s.measure(slots[j].took)
					slots[j] = simTask{}
				}
			}
			if slots[j].left == 0 && s.queued > 0 && s.at >= s.young[i] {
				ticks := max(math.Round(s.took(s.at)/tick.Seconds()), 1)
				slots[j] = simTask{ticks * tick.Seconds(), ticks * tick.Seconds()}
				s.queued--
			}
		}
	}
}

func (s *sim) measure(took float64) {
	if s.measured == 0 {
		s.measured = took
	}
	took *= 1 + 1e-4*s.random.Float64() // no two measurements are quite the same
	s.measured += 0.2 * (took - s.measured)
}

// feed keeps twice as many tasks out as there are slots, and a few where nobody
// is there.
func (s *sim) feed() {
	most := max(2*s.slots*len(s.workers), 16)
	if s.limit > 0 {
		most = min(most, s.limit)
	}
	n := min(max(most-s.out(), 0), s.waiting)
	s.waiting, s.queued = s.waiting-n, s.queued+n
}

func (s *sim) running() (n int) {
	for _, slots := range s.workers {
		for _, task := range slots {
			if task.left > 0 {
				n++
			}
		}
	}
	return n
}

func (s *sim) out() int { return s.queued + s.running() }

func (s *sim) figures() Figures {
	f := Figures{Waiting: s.waiting, Out: s.out(), Slots: s.slots * s.live(), Took: seconds(s.measured)}
	f.Backlog = f.Took * task.Duration(f.tasks())
	return f
}

func (s *sim) live() (n int) {
	for _, from := range s.young {
		if s.at >= from {
			n++
		}
	}
	return n
}

func (s *sim) look() {
	f := s.figures()
	seen := &f
	if s.away(s.at) {
		seen = nil
	}
	d := s.scaler.Step(epoch.Add(s.at), seen, s.live())
	if d.From != d.To || len(s.told) == 0 || d.Kind != s.told[len(s.told)-1].Kind {
		s.told = append(s.told, d)
	}
	s.trace = append(s.trace, moment{s.at, d.To, f.tasks()})
}

// staff starts workers, and drains them: what they executed goes back.
func (s *sim) staff(n int) {
	for len(s.workers) < n {
		s.workers, s.young = append(s.workers, make([]simTask, s.slots)), append(s.young, s.at+s.starts)
	}
	for len(s.workers) > n {
		last := len(s.workers) - 1
		for _, task := range s.workers[last] {
			if task.left > 0 {
				s.queued++
			}
		}
		s.workers, s.young = s.workers[:last], s.young[:last]
	}
}

// changes are the numbers of workers that followed one another after a time.
func (s *sim) changes(after time.Duration) (numbers []int) {
	for _, m := range s.trace {
		if m.at >= after && (len(numbers) == 0 || numbers[len(numbers)-1] != m.workers) {
			numbers = append(numbers, m.workers)
		}
	}
	return numbers
}

func (s *sim) said(k Kind) bool {
	for _, d := range s.told {
		if d.Kind == k {
			return true
		}
	}
	return false
}

func seconds(s float64) task.Duration { return task.Duration(s * float64(time.Second)) }
