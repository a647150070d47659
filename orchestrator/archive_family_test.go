package orchestrator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/process"
)

// newFamily is a shelf with a process "q" that has two children and has completed.
func newFamily(t *testing.T) *shelf {
	s := newShelf(t, memevents.New())
	s.send("q", aFamily(), 2)
	s.settle()
	s.finish(childOf("q", 0))
	s.settle()
	s.pass(24 * time.Hour)
	s.finish(childOf("q", 1))
	s.settle()
	require.Equal(t, process.Completed, s.status("q"))
	return s
}

func (s *shelf) closedAs(id string) string {
	s.t.Helper()
	k, err := closed(s.ctx, s.store, id)
	require.NoError(s.t, err)
	switch {
	case k.archived != nil:
		return "archived"
	case k.removed != nil:
		return "removed"
	}
	return "open"
}

func (s *shelf) do(due []Due) {
	s.t.Helper()
	for _, d := range due {
		done, err := s.archive.do(s.ctx, d, process.Asked{By: "retention", Reason: d.Why}, s.now)
		require.NoError(s.t, err, d.ID)
		require.True(s.t, done, d.ID)
	}
}

func TestChildrenAreArchivedAndRemovedWithTheirRootAndAfterIt(t *testing.T) {
	s := newFamily(t)
	s.keep("family", 10*aDay, 20*aDay)
	family := []string{"q", childOf("q", 0), childOf("q", 1)}
	s.pass(10*aDay - time.Hour)
	due, err := s.archive.DueBy(s.ctx, s.now)
	require.NoError(t, err)
	require.Empty(t, due, "a child that ended ten days ago waits for its root")

	s.pass(time.Hour)
	for _, want := range []string{"archived", "removed"} {
		due, err = s.archive.DueBy(s.ctx, s.now)
		require.NoError(t, err)
		require.Len(t, due, 3)
		require.Equal(t, "q", due[0].ID)
		require.Equal(t, want+" with q", due[1].Why)
		s.do(due)
		for _, id := range family {
			require.Equal(t, want, s.closedAs(id), id)
		}
		due, err = s.archive.DueBy(s.ctx, s.now)
		require.NoError(t, err)
		require.Empty(t, due)
		s.pass(20 * aDay)
	}
}

func TestChildrenOfARootThatWasClosedByOneWhoDiedFollow(t *testing.T) {
	s := newFamily(t)
	s.keep("family", 100*aDay, 200*aDay)
	_, _, err := s.archive.Put(s.ctx, "q", ada, s.now)
	require.NoError(t, err)
	due, err := s.archive.DueBy(s.ctx, s.now)
	require.NoError(t, err)
	require.Len(t, due, 2)
	s.do(due)
	require.Equal(t, "archived", s.closedAs(childOf("q", 1)))
}

func TestAChildIsNotArchivedNorRemovedBeforeItsRoot(t *testing.T) {
	s := newFamily(t)
	child := childOf("q", 0)
	var refused *process.RefusedError
	_, _, err := s.archive.Put(s.ctx, child, ada, s.now)
	require.ErrorAs(t, err, &refused)
	require.Contains(t, refused.Reason, "archive q, and it is archived too")
	_, _, err = s.archive.Put(s.ctx, "q", ada, s.now)
	require.NoError(t, err)
	_, _, err = s.archive.Put(s.ctx, child, ada, s.now)
	require.NoError(t, err)

	_, err = s.archive.Remove(s.ctx, child, ada, s.now)
	require.ErrorAs(t, err, &refused)
	require.Contains(t, refused.Reason, "remove q, and it is removed too")
	_, err = s.archive.Remove(s.ctx, "q", ada, s.now)
	require.NoError(t, err)
	_, err = s.archive.Remove(s.ctx, child, ada, s.now)
	require.NoError(t, err)
	require.Equal(t, "removed", s.closedAs(child))
}

func TestWhatEndedBeforeATimeIsChosenByItsRoot(t *testing.T) {
	s := newFamily(t)
	due, err := s.archive.EndedBefore(s.ctx, s.now, "family")
	require.NoError(t, err)
	require.Empty(t, due, "the first child ended a day ago, its root only now")
	due, err = s.archive.EndedBefore(s.ctx, s.now.Add(time.Second), "family")
	require.NoError(t, err)
	require.Len(t, due, 3)
}

func TestTheListSaysWhoseChildrenProcessesAreAndHowThoseBelowStand(t *testing.T) {
	r := settled(t, parentOf(aFamily()), 2)
	child := childOf("p", 1)
	grandchild := process.ChildID(process.Parent{Process: child, Address: "each", Attempt: 1, Root: "p"})
	r.finish(grandchild)
	r.settle()
	all, err := summarise(r.ctx, r.store)
	require.NoError(t, err)
	require.Len(t, all, 5)
	byID := map[string]Summary{}
	for _, p := range all {
		byID[p.ID] = p
	}
	require.Equal(t, map[process.Status]int{process.Completed: 2, process.Running: 2}, byID["p"].Children)
	require.Equal(t, 4, byID["p"].Below())
	require.Equal(t, map[process.Status]int{process.Completed: 1}, byID[child].Children)
	require.Equal(t, "p", byID[child].Parent)
	require.Equal(t, "each[1]", byID[child].Task)
	require.Equal(t, child, byID[grandchild].Parent)
	require.Equal(t, "p", byID[grandchild].Root)

	ids := func(f Filter) (ids []string) {
		for _, p := range f.Of(all) {
			ids = append(ids, p.ID)
		}
		return ids
	}
	require.Equal(t, []string{"p"}, ids(Filter{Roots: true}))
	require.Len(t, ids(Filter{Parent: "p"}), 2)
	require.ElementsMatch(t, []string{child, grandchild}, ids(Filter{Family: child}))
	require.Len(t, ids(Filter{Family: "p", Status: "completed"}), 2)
}
