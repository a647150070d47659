package orchestrator

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/queue"
)

// net is replicas, each no more than its members, on a network that delays,
// loses and splits, in steps of a tick.
type net struct {
	now      time.Time
	replicas []*node
	joined   int // so far: no two have the same name
	lossy    bool
	draw     func(n int) int // a number below n
	doubled  [queue.ShardCount]time.Duration
	longest  time.Duration // that two healthy, connected replicas held one shard
}

const (
	tick      = 50 * time.Millisecond
	stepEvery = 250 * time.Millisecond // an idle owner's longest wait
	delayed   = 100 * time.Millisecond
	loadTakes = 300 * time.Millisecond
)

// node is a replica. One that is cut off does not reach the event store.
type node struct {
	*members
	heard   []delivery
	step    time.Time // its next
	group   int       // of the network; those of group 0 are connected with the store
	cut     bool      // it reaches nobody, not even itself
	since   time.Time // when it got where it is
	loading map[int]time.Time
}

type delivery struct {
	at time.Time
	a  Announcement
}

func newNet(draw func(n int) int) *net {
	return &net{now: time.Unix(0, 0), draw: draw}
}

func (w *net) join(first bool) *node {
	w.joined++
	n := &node{members: newMembers(fmt.Sprintf("r%d-%d", w.joined, w.draw(1000)), "v1", first), step: w.now, since: w.now, loading: map[int]time.Time{}}
	w.replicas = append(w.replicas, n)
	return n
}

// die is a crash; leave says goodbye.
func (w *net) die(n *node) {
	w.replicas = slices.DeleteFunc(w.replicas, func(other *node) bool { return other == n })
}

func (w *net) leave(n *node) {
	n.releases(n.claimed)
	w.publish(n, Announcement{Replica: n.name, Leaving: true})
	w.die(n)
}

func (w *net) publish(from *node, a Announcement) {
	for _, to := range w.replicas {
		if to.group != from.group || to.cut || from.cut || w.lossy && w.draw(4) == 0 {
			continue
		}
		at := w.now.Add(time.Duration(w.draw(int(delayed))))
		if last := len(to.heard) - 1; last >= 0 && at.Before(to.heard[last].at) {
			at = to.heard[last].at // in order
		}
		to.heard = append(to.heard, delivery{at, a})
	}
}

func (w *net) put(n *node, group int, cut bool) {
	if n.group != group || n.cut != cut {
		n.group, n.cut, n.since = group, cut, w.now
	}
}

// connected reports whether it reaches the event store.
func (n *node) connected() bool { return n.group == 0 && !n.cut }

func (w *net) heal() {
	w.lossy = false
	for _, n := range w.replicas {
		w.put(n, 0, false)
	}
}

// run lets time pass.
func (w *net) run(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); w.now = w.now.Add(tick) {
		for _, n := range slices.Clone(w.replicas) {
			if !w.now.Before(n.step) {
				w.stepOne(n)
				n.step = w.now.Add(tick + time.Duration(w.draw(int(stepEvery-tick))))
			}
		}
		w.watch()
	}
}

func (w *net) stepOne(n *node) {
	for len(n.heard) > 0 && !n.heard[0].at.After(w.now) {
		n.hear(w.now, n.heard[0].a)
		n.heard = n.heard[1:]
	}
	letGo, take := n.look()
	n.releases(letGo)
	for shard := range letGo.All() {
		delete(n.loading, shard)
	}
	for shard := range take.All() {
		n.loading[shard] = w.now.Add(loadTakes)
	}
	for shard, at := range n.loading {
		if n.connected() && !w.now.Before(at) {
			n.holds(queue.Shards(0).With(shard))
			delete(n.loading, shard)
		}
	}
	if a, due := n.announcement(w.now); due {
		w.publish(n, a)
	}
}

// watch measures for how long two replicas hold the same shard that have been
// connected with each other for as long.
func (w *net) watch() {
	if w.lossy {
		w.doubled = [queue.ShardCount]time.Duration{}
		return
	}
	for shard := range queue.ShardCount {
		var holders []*node
		for _, n := range w.replicas {
			if n.held.Has(shard) && n.connected() {
				holders = append(holders, n)
			}
		}
		if len(holders) < 2 {
			w.doubled[shard] = 0
			continue
		}
		w.doubled[shard] += tick
		for _, n := range holders {
			w.doubled[shard] = min(w.doubled[shard], w.now.Sub(n.since))
		}
		w.longest = max(w.longest, w.doubled[shard])
	}
}

// nobody is the shards that no connected replica holds.
func (w *net) nobody() queue.Shards {
	held := queue.Shards(0)
	for _, n := range w.replicas {
		if n.connected() {
			held |= n.held
		}
	}
	return queue.AllShards &^ held
}

func (w *net) requireSettled(t require.TestingT) {
	require.Zero(t, w.nobody(), "%d shards have no holder", bits.OnesCount64(uint64(w.nobody())))
	for i, n := range w.replicas {
		var others []string
		for j, other := range w.replicas {
			if i != j {
				others = append(others, other.name)
				require.Zero(t, n.held&other.held, "two hold a shard")
			}
		}
		require.Equal(t, shareOf(n.name, others), n.held)
	}
}

// How soon all is well again: a dead replica is known by then, what it held is
// let go of and taken, and its processes are loaded.
const (
	settledWithin = silentAfter + announceEvery + 2*(stepEvery+delayed) + stepEvery + loadTakes
	doubledAtMost = announceEvery + delayed + stepEvery
)

func fixed(int) int { return 0 }

func TestTheFirstReplicaTakesAllShardsAtOnceAndAnotherListensBefore(t *testing.T) {
	w := newNet(fixed)
	first := w.join(true)
	w.stepOne(first)
	require.Equal(t, queue.AllShards, first.claimed)

	w = newNet(fixed)
	second := w.join(false)
	w.run(takeAfter - tick)
	require.Zero(t, second.claimed)
	w.run(loadTakes + 3*stepEvery)
	require.Equal(t, queue.AllShards, second.held, "nobody else is there")
}

func TestAReplicaThatJoinsGetsItsShareWithoutAGapWhileItListens(t *testing.T) {
	w := newNet(fixed)
	old := w.join(true)
	w.run(time.Second)
	require.Equal(t, queue.AllShards, old.held)
	joined := w.join(false)
	w.run(speakAfter - tick)
	require.Equal(t, queue.AllShards, old.held, "nothing is let go of for one that only listens")
	gap := time.Duration(0)
	for range 40 {
		w.run(tick)
		if w.nobody() != 0 {
			gap += tick
		}
	}
	w.requireSettled(t)
	require.NotZero(t, joined.held)
	require.LessOrEqual(t, gap, 2*(stepEvery+delayed)+loadTakes)
}

func TestWhatALeaverHeldIsTakenAtOnceAndWhatADeadOneHeldAfterTwoSeconds(t *testing.T) {
	w := newNet(fixed)
	w.join(true)
	leaver, dies := w.join(false), w.join(false)
	w.run(settledWithin)
	w.requireSettled(t)
	w.leave(leaver)
	w.run(stepEvery + delayed + loadTakes)
	w.requireSettled(t)
	w.die(dies)
	w.run(silentAfter - announceEvery)
	require.NotZero(t, w.nobody())
	w.run(settledWithin - silentAfter + announceEvery)
	w.requireSettled(t)
}

func TestAReplicaThatIsCutOffTakesNothingFromOthers(t *testing.T) {
	w := newNet(fixed)
	first := w.join(true)
	w.join(false)
	w.run(settledWithin)
	before := first.held
	w.put(first, 0, true)
	w.run(time.Minute)
	require.Equal(t, before, first.claimed)
	w.heal()
	w.run(settledWithin)
	w.requireSettled(t)
}

func TestTwoThatHoldAShardBothLetGoOfItAndOneTakesItAgain(t *testing.T) {
	w := newNet(fixed)
	a, b := w.join(true), w.join(true)
	w.stepOne(a)
	w.stepOne(b)
	a.holds(queue.AllShards)
	b.holds(queue.AllShards)
	w.run(settledWithin)
	w.requireSettled(t)
	require.LessOrEqual(t, w.longest, doubledAtMost)
}

func TestWhateverHappensToReplicasEachShardHasOneHolderSoonAfter(t *testing.T) {
	longest := time.Duration(0)
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		w := newNet(func(n int) int {
			seed = mix(seed + 0x9e3779b97f4a7c15)
			return int(seed % uint64(n))
		})
		w.join(rapid.Bool().Draw(t, "with a first"))
		for range rapid.IntRange(1, 12).Draw(t, "things that happen") {
			switch what := rapid.SampledFrom([]string{"join", "join", "die", "leave", "cut", "split", "heal", "lose"}).Draw(t, "what"); {
			case what == "join" && len(w.replicas) < 6:
				w.join(false)
			case what == "heal":
				w.heal()
			case what == "lose":
				w.lossy = true
			case len(w.replicas) < 2:
			case what == "die":
				w.die(w.replicas[w.draw(len(w.replicas))])
			case what == "leave":
				w.leave(w.replicas[w.draw(len(w.replicas))])
			case what == "cut":
				w.put(w.replicas[w.draw(len(w.replicas))], 0, true)
			case what == "split":
				for _, n := range w.replicas {
					w.put(n, w.draw(2), n.cut)
				}
			}
			w.run(time.Duration(w.draw(int(4 * time.Second))))
		}
		w.heal()
		w.run(settledWithin + takeAfter) // who began just now listens first
		for range 20 {
			w.requireSettled(t)
			w.run(10 * tick)
		}
		longest = max(longest, w.longest)
		require.LessOrEqual(t, w.longest, doubledAtMost)
	})
	t.Logf("two replicas that heard each other held the same shard for at most %s", longest)
}
