package orchestrator

import (
	"container/heap"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// plant is an orchestrator with simulated workers, in simulated time: each slot
// takes the first message of its lane, is busy for as long as its tasks last one
// after the other, and reports. Nothing else takes any time.
type plant struct {
	*rig
	lasts    func(task.Work) time.Duration
	returns  func(task.Work) bool // it is handed back in the end, as if it had not been begun
	beats    []task.Heartbeat
	slots    map[string]int // by lane
	free     map[string]int // of these
	ends     endings
	ended    map[string]time.Time // processes
	begun    map[string][]time.Time
	most     map[string]int // by lane: the most that was out at a time
	before   map[string]int // by lane: what was out at the last look
	arrivals []arrival
	began    time.Time
	beaten   time.Time
	seq      int
}

type arrival struct {
	at    time.Time
	start func()
}

type ending struct {
	at   time.Time
	seq  int
	work task.Work
	lane string
	took time.Duration
}

type endings []ending

func (e endings) Len() int { return len(e) }
func (e endings) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].seq < e[j].seq
}
func (e endings) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *endings) Push(x any)   { *e = append(*e, x.(ending)) }
func (e *endings) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

const short = 50 * time.Millisecond

// newPlant has workers that say so in their heartbeats.
func newPlant(t *testing.T, workers ...task.Heartbeat) *plant {
	p := &plant{
		rig: newRig(t), lasts: func(task.Work) time.Duration { return short }, returns: func(task.Work) bool { return false },
		beats: workers, slots: map[string]int{}, free: map[string]int{}, ended: map[string]time.Time{}, begun: map[string][]time.Time{}, most: map[string]int{}, before: map[string]int{},
	}
	p.began = p.now
	for _, b := range workers {
		p.slots[laneName(b.Pool)] += b.Slots
		p.free[laneName(b.Pool)] += b.Slots
	}
	return p
}

func slots(n int) task.Heartbeat { return task.Heartbeat{Worker: "w", Slots: n} }

// starts has a process of so many tasks begin after a time.
func (p *plant) starts(after time.Duration, id string, tasks int, options ...func(*definition.Definition)) {
	def := fanOut()
	for _, o := range options {
		o(&def)
	}
	p.arrivals = append(p.arrivals, arrival{p.now.Add(after), func() {
		in := task.Dataset{Count: tasks, Manifest: &task.Manifest{Ref: task.Ref{Key: "list"}}}
		p.give(id, startOf(id, def, in), "")
	}})
}

// chain makes a process one of several steps, each of which reads what the one
// before wrote.
func chain(steps int) func(*definition.Definition) {
	return func(def *definition.Definition) {
		first := def.Steps[0]
		def.Steps = nil
		from := "in"
		for i := range steps {
			s, to := first, fmt.Sprintf("out%d", i)
			s.Address = fmt.Sprintf("work%d", i)
			s.Each = &definition.Each{Binding: definition.Binding{Local: from, Data: from}}
			s.Out = definition.Outputs(definition.Binding{Local: to, Data: to})
			def.Steps, from = append(def.Steps, s), to
		}
		def.Outputs = []string{from}
	}
}

func step(o func(*definition.Step)) func(*definition.Definition) {
	return func(def *definition.Definition) { o(&def.Steps[0]) }
}

// run simulates until a process has ended; "": for a time.
func (p *plant) run(until string, most time.Duration) {
	p.t.Helper()
	giveUp := p.now.Add(most)
	for {
		p.arrive()
		p.beatAll()
		next, err := p.owner.Step(p.ctx, p.now)
		require.NoError(p.t, err)
		p.check()
		p.begin()
		if next.Equal(p.now) && p.owner.feeder.seen >= 0 {
			continue
		}
		if _, over := p.ended[until]; over || !p.now.Before(giveUp) {
			require.True(p.t, over || until == "", "process %s has not ended after %s", until, most)
			return
		}
		p.advance(next, giveUp)
		p.finish()
	}
}

// check looks whether more is out in a lane than may be.
func (p *plant) check() {
	for name, l := range p.owner.feeder.lanes {
		p.most[name] = max(p.most[name], messages(l.out))
		if l.slots > 0 && messages(l.out) > max(leastSlot*l.slots, p.before[name]) {
			require.LessOrEqual(p.t, l.time, time.Duration(l.slots)*aheadTime)
			require.LessOrEqual(p.t, messages(l.out), mostOut)
		}
		p.before[name] = messages(l.out)
	}
}

func (p *plant) advance(next, giveUp time.Time) {
	earlier := func(at time.Time) {
		if at.Before(next) {
			next = at
		}
	}
	earlier(giveUp)
	earlier(p.beaten.Add(time.Second))
	if len(p.ends) > 0 {
		earlier(p.ends[0].at)
	}
	for _, a := range p.arrivals {
		earlier(a.at)
	}
	p.now = next
}

func (p *plant) arrive() {
	later := p.arrivals[:0]
	for _, a := range p.arrivals {
		if a.at.After(p.now) {
			later = append(later, a)
			continue
		}
		a.start()
	}
	p.arrivals = later
}

func (p *plant) beatAll() {
	if p.now.Sub(p.beaten) < time.Second {
		return
	}
	p.beaten = p.now
	for _, b := range p.beats {
		p.beat(b)
	}
}

// begin fills the free slots from the queue.
func (p *plant) begin() {
	for lane, n := range p.free {
		if n == 0 {
			continue
		}
		q, err := p.work.Lane(p.ctx, lane)
		require.NoError(p.t, err)
		deliveries, err := q.Receive(p.ctx, n, 0)
		require.NoError(p.t, err)
		require.NoError(p.t, p.work.Ack(p.ctx, deliveries...))
		for _, d := range deliveries {
			var w task.Work
			require.NoError(p.t, json.Unmarshal(d.Body, &w))
			p.seq++
			var took time.Duration
			for i := range w.Tasks.All() { // one after the other
				one := w
				one.Tasks = task.Span(i, 1)
				p.begun[w.Process] = append(p.begun[w.Process], p.now.Add(took))
				took += p.lasts(one)
			}
			heap.Push(&p.ends, ending{p.now.Add(took), p.seq, w, lane, took})
			p.free[lane]--
		}
	}
}

// finish reports what has ended.
func (p *plant) finish() {
	for len(p.ends) > 0 && !p.ends[0].at.After(p.now) {
		e := heap.Pop(&p.ends).(ending)
		p.free[e.lane]++
		result := task.Result{
			Address: e.work.Address, Generation: e.work.Generation, Attempt: e.work.Attempt, Tasks: e.work.Tasks, Outcome: task.Done,
			Elapsed: task.Duration(e.took),
		}
		if e.work.Address != "work" { // of a chain
			for i := range e.work.Tasks.All() {
				result.Parts = append(result.Parts, task.Produced{Index: i, Data: e.work.Outputs[0].Data, Part: task.Part{Value: json.RawMessage(`1`)}})
			}
		}
		if p.returns(e.work) {
			result = task.Result{Address: result.Address, Attempt: result.Attempt, Tasks: result.Tasks, Outcome: task.Returned}
		}
		p.report(e.work.Process, result)
	}
	p.step()
	for id, s := range p.owner.processes {
		if _, known := p.ended[id]; s.Ended() && !known {
			p.ended[id] = p.now
		}
	}
}

// took is how long a process took, alone or beside one of a million tasks that
// has had all workers to itself for a while.
func took(t *testing.T, slotCount int, beside bool, tasks int, options ...func(*definition.Definition)) time.Duration {
	p := newPlant(t, slots(slotCount))
	if beside {
		p.starts(0, "large", 1_000_000)
		p.lasts = func(w task.Work) time.Duration { // its slots do not end together
			if i := w.Tasks[0].First; w.Process == "large" && i < slotCount {
				return short + short*time.Duration(i)/time.Duration(slotCount)
			}
			return short
		}
	}
	const early = 3*time.Second + 20*time.Millisecond
	p.starts(early, "small", tasks, options...)
	p.run("small", time.Minute)
	return p.ended["small"].Sub(p.began.Add(early))
}

func TestASmallProcessBesideALargeOneTakesLessThanTwiceItsTimeAlone(t *testing.T) {
	for _, n := range []int{4, 8, 16} {
		for name, small := range map[string]struct {
			tasks   int
			options []func(*definition.Definition)
		}{
			"20 tasks":                {20, nil},
			"64 tasks":                {64, nil},
			"200 tasks":               {200, nil},
			"a chain of 5 steps of 4": {4, []func(*definition.Definition){chain(5)}},
			"a chain of 5 steps of 8": {8, []func(*definition.Definition){chain(5)}},
		} {
			t.Run(fmt.Sprintf("%s on %d slots", name, n), func(t *testing.T) {
				alone, beside := took(t, n, false, small.tasks, small.options...), took(t, n, true, small.tasks, small.options...)
				t.Logf("alone %s, beside %s: %.2f", alone, beside, float64(beside)/float64(alone))
				require.Less(t, beside, 2*alone)
			})
		}
	}
}
