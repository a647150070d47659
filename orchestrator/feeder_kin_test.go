package orchestrator

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startsFamily has a process with so many children of one task each begin.
func (p *plant) startsFamily(id string, children int) {
	p.give(id, startOf(id, aFamily(), ones(children)), "")
}

// begunBelow counts the tasks that began of the children of a process since a time.
func (p *plant) begunBelow(id string, since time.Time) (n int) {
	for child := range p.begun {
		if strings.HasPrefix(child, id+"-") {
			n += p.after(since, child)
		}
	}
	return n
}

func TestASmallProcessDoesNotWaitBehindThousandsOfChildren(t *testing.T) {
	p := newPlant(t, slots(8))
	p.startsFamily("family", 4000)
	p.run("", 5*time.Second)
	since := p.now
	p.starts(0, "late", 20)
	p.run("late", 20*time.Second)
	require.Less(t, p.ended["late"].Sub(since), time.Second)
	require.Greater(t, p.begunBelow("family", p.began), 8*5*20/2)
}

func TestThousandsOfChildrenShareTheSlotsWithAnotherProcessAsIfTheyWereOne(t *testing.T) {
	p := newPlant(t, slots(8))
	p.startsFamily("family", 6000)
	p.starts(0, "large", 1_000_000)
	p.run("", 5*time.Second) // their purses are empty
	since := p.now
	p.run("", 20*time.Second)
	family, large := p.begunBelow("family", since), p.after(since, "large")
	require.InDelta(t, 1, float64(large)/float64(family), 0.35, "%d of the family, %d of the other", family, large)
}
