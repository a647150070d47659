package orchestrator

import (
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/queue"
)

// Announcement is what a replica says of itself on TopicReplica, twice a second
// and whenever it changes.
type Announcement struct {
	Replica string       `json:"replica"`
	Shards  queue.Shards `json:"shards,string"`     // those that it holds
	Joining bool         `json:"joining,omitempty"` // it only listens so far: nobody lets go of anything for it
	Leaving bool         `json:"leaving,omitempty"` // it holds nothing, and never will again
	Version string       `json:"version,omitempty"` // of its binary
	Now     time.Time    `json:"now,omitzero"`      // its wall clock, for people: nothing is decided by it
}

const (
	announceEvery = time.Second / 2

	// silentAfter is the silence after which a replica is dead for the others.
	silentAfter = 2 * time.Second

	// A replica that begins listens for others: it speaks up after speakAfter,
	// so that those whose shards fall to it let go of them, and takes shards
	// after takeAfter. Two that begin together know each other by then.
	speakAfter = time.Second
	takeAfter  = 1200 * time.Millisecond

	// hearsWithin is the longest time between two of its own announcements, as
	// they come back to it, in which a replica believes that it missed nothing.
	hearsWithin = time.Second
)

// members decides which shards a replica holds, from what the replicas
// announce. It is stepped, and asks nobody for the time:
//
//   - who hears the same announcements knows, by shareOf, whose a shard is;
//   - what is held and falls to another is let go of at once, and said so;
//   - what falls to this replica is taken when nobody says any more that he holds it;
//   - what another says he holds, too, is let go of, and taken again when he has
//     done so: each of the two may have written what the other does not know.
//
// Nobody is asked for consent, so two may hold a shard for a moment: the
// expected version of the event store fences what they write.
//
// A replica that is cut off hears nobody, which must not mean that all others
// are dead. So silence is measured in time in which the replica heard itself:
// its own announcements come back like those of others.
type members struct {
	name    string
	version string
	first   bool // it need not listen before it takes shards
	others  map[string]member

	claimed queue.Shards // it holds them, or is about to
	held    queue.Shards // of those: the ones that it announces

	listened time.Duration // in which it heard itself
	echo     time.Time     // when it heard itself last
	said     time.Time
	last     Announcement
}

type member struct {
	at      time.Duration // of members.listened, when it was heard last
	shards  queue.Shards
	joining bool
}

func newMembers(name, version string, first bool) *members {
	return &members{name: name, version: version, first: first, others: map[string]member{}}
}

// hear takes in an announcement, the replica's own ones included. Those of one
// replica come in the order in which it made them.
func (m *members) hear(now time.Time, a Announcement) {
	switch {
	case a.Replica == m.name:
		if !m.echo.IsZero() {
			m.listened += max(min(now.Sub(m.echo), hearsWithin), 0)
		}
		m.echo = now
	case a.Leaving:
		delete(m.others, a.Replica)
	default:
		m.others[a.Replica] = member{at: m.listened, shards: a.Shards, joining: a.Joining}
	}
}

// look says which shards are to be let go of and which to be taken now. Those
// to be taken count as claimed from then on; see releases and holds.
func (m *members) look() (letGo, take queue.Shards) {
	maps.DeleteFunc(m.others, func(_ string, other member) bool { return m.listened-other.at >= silentAfter })
	var elsewhere queue.Shards
	for _, other := range m.others {
		elsewhere |= other.shards
	}
	share := shareOf(m.name, m.names())
	letGo = m.claimed&^share | m.claimed&elsewhere
	if m.first || m.listened >= takeAfter {
		take = share &^ elsewhere &^ m.claimed
	}
	m.claimed |= take
	return letGo, take
}

// releases notes that the replica has nothing to do with shards any more.
func (m *members) releases(shards queue.Shards) {
	m.claimed = m.claimed.Without(shards)
	if !planted.Is(planted.ClaimedForEver) {
		m.held = m.held.Without(shards)
	}
}

// holds notes that what is claimed of these shards is held from now on.
func (m *members) holds(shards queue.Shards) { m.held |= shards & m.claimed }

// announcement is what the replica says of itself now, if it is time to say
// something. Who listens first speaks more often: the time until then is
// measured by hearing oneself.
func (m *members) announcement(now time.Time) (a Announcement, due bool) {
	every := announceEvery
	if !m.first && m.listened < takeAfter {
		every /= 5
	}
	a = Announcement{Replica: m.name, Shards: m.held, Version: m.version, Joining: !m.first && m.listened < speakAfter}
	if a == m.last && now.Sub(m.said) < every {
		return a, false
	}
	m.last, m.said = a, now
	return a, true
}

// names lists the other replicas, but those that only listen so far.
func (m *members) names() []string {
	var all []string
	for name, other := range m.others {
		if !other.joining {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}
