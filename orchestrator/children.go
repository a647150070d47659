package orchestrator

import (
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// children is what an Owner does for parents and children among its processes.
// A parent starts its children, and stops those that nobody wants any more; a
// child says to its parent that it has begun, and how it ended. Each may be on
// another replica, so all of it goes through the inbox, and any message may be
// repeated or lost: a start that is repeated makes a child say how it stands, a
// child that runs says so again and again, and one that says so and is not
// wanted is stopped. So this is memory, and none of it is stored.
type children struct {
	families map[string]*family        // by parent: those that have children
	turns    []string                  // parents with children to be started
	heard    []hearing                 // children that said that they have begun
	orders   []order                   // to children, oldest first
	telling  map[string]*process.State // children whose parents are to be told how they stand
	answers  []queue.Message           // to parents whose start was refused
	sayings  map[string]saying         // children that go on: when they say so again
	looked   time.Time                 // for what is due
}

func newChildren() *children {
	return &children{families: map[string]*family{}, telling: map[string]*process.State{}, sayings: map[string]saying{}}
}

// family is the children of a process.
type family struct {
	starts  []start
	born    map[birth]*born
	unheard int // of those: they were started and have not said so
	waits   bool
}

// birth is a task that is a child.
type birth struct {
	address           string
	generation, index int
}

// born is a child that was started.
type born struct {
	attempt int
	starts  int       // since it said something
	heard   bool      // it has begun
	again   time.Time // when it is started again, unless it says something
	looked  looked
}

// looked is what a worker found that a child reads, where the core does not know
// it: by local name.
type looked map[string]task.Dataset

// start is children to be started.
type start struct {
	process.StartChildren
	looked looked // then it is one
	starts int    // of it, before
}

func (c *children) family(id string) *family {
	if c.families[id] == nil {
		c.families[id] = &family{born: map[birth]*born{}}
	}
	return c.families[id]
}

// add takes children to be started. Those that are known are passed over when
// their turn comes.
func (c *children) add(id string, s start) {
	f := c.family(id)
	s.Tasks = slices.Clone(s.Tasks)
	f.starts = append(f.starts, s)
	c.await(id)
}

// await gives a parent a turn, if it has something to start and may.
func (c *children) await(id string) {
	if f := c.families[id]; f != nil && !f.waits && len(f.starts) > 0 && f.unheard < unheardAtOnce {
		f.waits = true
		c.turns = append(c.turns, id)
	}
}

// next takes out the first child to be started.
func (f *family) next() (b birth, s start) {
	first := &f.starts[0]
	s, b = *first, birth{first.Address, first.Generation, first.Tasks[0].First}
	if first.Tasks[0].Count--; first.Tasks[0].Count > 0 {
		first.Tasks[0].First++
	} else if first.Tasks = first.Tasks[1:]; len(first.Tasks) == 0 {
		f.starts = f.starts[1:]
	}
	s.Tasks = task.Span(b.index, 1)
	return b, s
}

// drop forgets a child.
func (c *children) drop(id string, b birth) {
	f := c.families[id]
	if known := f.born[b]; known != nil && !known.heard {
		f.unheard--
	}
	delete(f.born, b)
	c.await(id)
}

// among lists the children that were started of some tasks. A report may name any
// tasks there can be, and of a million few may have been started.
func (f *family) among(address string, generation int, tasks task.Ranges) (all []birth) {
	if tasks.Len() <= len(f.born) {
		for i := range tasks.All() {
			if b := (birth{address, generation, i}); f.born[b] != nil {
				all = append(all, b)
			}
		}
		return all
	}
	for b := range f.born {
		if b.address == address && b.generation == generation && tasks.Contains(b.index) {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, compareBirths)
	return all
}

// without is the tasks whose children are not known at this attempt.
func (c *children) without(id, address string, generation, attempt int, tasks task.Ranges) task.Ranges {
	f := c.families[id]
	if f == nil || len(f.born) == 0 {
		return tasks
	}
	var known task.Ranges
	for _, b := range f.among(address, generation, tasks) {
		if f.born[b].attempt == attempt {
			known = append(known, task.Range{First: b.index, Count: 1})
		}
	}
	return tasks.Minus(known)
}

// isWanted reports whether an attempt at a task is to be executed: now, or after a pause.
func isWanted(s *process.State, b birth, attempt int) bool {
	return s.Damage() == nil && len(s.Open(b.address, b.generation, task.Span(b.index, 1))) > 0 && s.IsCurrent(b.address, b.index, attempt)
}

// observe learns from stored events which children are over, and stops those
// that are not needed any more though nobody said so.
func (c *children) observe(s *process.State, happened []process.Event) {
	f := c.families[s.ID]
	if f == nil {
		return
	}
	for _, e := range happened {
		over, is := cameBack(e)
		if !is {
			continue
		}
		for _, b := range f.among(over.Address, over.Generation, over.Tasks) {
			if attempt := f.born[b].attempt; attempt != over.Attempt || !endsItself(e) {
				c.order(s, b, attempt, toStop)
			}
			c.drop(s.ID, b)
		}
	}
}

// endsItself reports whether what ended tasks that are children is that these did.
func endsItself(e process.Event) bool {
	switch e.(type) {
	case process.TasksConfirmed, process.TasksFailed:
		return true
	}
	return false
}

// settle is observe where what happened is not known: the state was loaded, or
// steps have begun anew.
func (c *children) settle(s *process.State) {
	f := c.families[s.ID]
	if f == nil {
		return
	}
	f.starts = nil // what is still to be started is about to be derived anew
	for _, b := range f.sorted() {
		if !isWanted(s, b, f.born[b].attempt) {
			c.order(s, b, f.born[b].attempt, toStop)
			c.drop(s.ID, b)
		}
	}
}

func (f *family) sorted() []birth { return slices.SortedFunc(maps.Keys(f.born), compareBirths) }

// halt stops the children of a process that has ended, as far as this owner may
// have started some; those that an earlier one did are stopped when they say
// that they go on.
func (c *children) halt(s *process.State) {
	if c.families[s.ID] == nil {
		return
	}
	c.orderAll(s, toStop)
	c.end(s.ID)
}

// withhold pauses the children of a process. When it goes on they are started
// again, which ends their pause.
func (c *children) withhold(s *process.State) {
	delete(c.families, s.ID)
	if c.orderAll(s, toHold) {
		c.family(s.ID) // it has some to stop, should it end without going on
	}
}

// end forgets what a process is to its children, and to its parent.
func (c *children) end(id string) {
	delete(c.families, id)
	delete(c.sayings, id)
}

// letGo forgets the processes of shards: the next holder makes all of it anew.
func (c *children) letGo(shards queue.Shards) {
	maps.DeleteFunc(c.families, func(id string, _ *family) bool { return shards.Holds(id) })
	maps.DeleteFunc(c.telling, func(id string, _ *process.State) bool { return shards.Holds(id) })
	maps.DeleteFunc(c.sayings, func(id string, _ saying) bool { return shards.Holds(id) })
	c.turns = slices.DeleteFunc(c.turns, shards.Holds)
	c.heard = slices.DeleteFunc(c.heard, func(h hearing) bool { return shards.Holds(h.parent) })
	c.orders = slices.DeleteFunc(c.orders, func(o order) bool { return shards.Holds(o.parent) })
}

// busy reports whether there is something to do at once.
func (c *children) busy() bool {
	return len(c.turns)+len(c.heard)+len(c.orders)+len(c.telling)+len(c.answers) > 0
}
