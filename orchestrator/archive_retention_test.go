package orchestrator

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func (s *shelf) keep(name string, archive, remove time.Duration) {
	s.t.Helper()
	require.NoError(s.t, SetRetention(s.ctx, s.store, Retention{
		Name: name, ArchiveAfter: task.Duration(archive), RemoveAfter: task.Duration(remove), Asked: ada, At: s.now,
	}))
}

func TestTheKeeperDoesWhatTheSettingsAskForWhenItIsTime(t *testing.T) {
	s := newShelf(t, memevents.New())
	keeper := &Keeper{Archive: s.archive, Log: slog.New(slog.DiscardHandler)}
	step := func() {
		t.Helper()
		next, err := keeper.step(s.ctx, s.now)
		require.NoError(t, err)
		require.True(t, next.After(s.now))
	}
	s.keep("*", 10*aDay, 20*aDay)
	s.pass(10*aDay - time.Minute)
	step()
	require.NotEqual(t, []string{archivedType}, s.stream())
	s.pass(time.Minute)
	step()
	require.NotEqual(t, []string{archivedType}, s.stream(), "it looks once an hour")
	s.pass(time.Hour)
	step()
	require.Equal(t, []string{archivedType}, s.stream())
	k, err := closed(s.ctx, s.store, "p")
	require.NoError(t, err)
	require.Equal(t, process.Asked{By: "retention", Reason: "retention of *: archived after 10d"}, k.archived.Asked)

	s.pass(20*aDay - time.Hour)
	step()
	require.Equal(t, []string{archivedType}, s.stream(), "the time until it is removed counts from the archive on")
	s.pass(time.Hour)
	step()
	require.Equal(t, []string{removedType}, s.stream())
}

func TestASettingThatIsTakenBackRemovesNothingThatWasListedBefore(t *testing.T) {
	s := newShelf(t, memevents.New())
	s.keep("*", time.Hour, time.Hour)
	do := func(take bool) bool {
		s.pass(2 * time.Hour)
		due, err := s.archive.DueBy(s.ctx, s.now)
		require.NoError(t, err)
		require.Len(t, due, 1)
		if take {
			_, err = UnsetRetention(s.ctx, s.store, "*", ada, s.now)
			require.NoError(t, err)
		}
		done, err := s.archive.do(s.ctx, due[0], ada, s.now)
		require.NoError(t, err)
		return done
	}
	require.True(t, do(false))
	require.False(t, do(true))
	require.Equal(t, []string{archivedType}, s.stream())
	s.keep("*", time.Hour, time.Hour)
	require.True(t, do(false))
	require.Equal(t, []string{removedType}, s.stream())
}

func TestTheSettingOfANameGoesBeforeThatForAllOthers(t *testing.T) {
	s := newShelf(t, memevents.New())
	s.keep("*", time.Hour, 0)
	s.keep("fan-out", 5*time.Hour, 0)
	s.pass(4 * time.Hour)
	due, err := s.archive.DueBy(s.ctx, s.now)
	require.NoError(t, err)
	require.Empty(t, due)
	known, err := UnsetRetention(s.ctx, s.store, "fan-out", ada, s.now)
	require.NoError(t, err)
	require.True(t, known)
	due, err = s.archive.DueBy(s.ctx, s.now)
	require.NoError(t, err)
	require.Len(t, due, 1)
	require.Equal(t, "p", due[0].ID)
	known, err = UnsetRetention(s.ctx, s.store, "fan-out", ada, s.now)
	require.NoError(t, err)
	require.False(t, known)
	all, err := Retentions(s.ctx, s.store)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "*", all[0].Name)
	require.Equal(t, ada, all[0].Asked)
}

func TestWithoutSettingsNothingIsDueAndNoProcessIsLookedAt(t *testing.T) {
	s := newShelf(t, memevents.New())
	s.archive.Blobs = nil // nothing is to be read from there
	s.pass(100 * aYear)
	due, err := s.archive.DueBy(s.ctx, s.now)
	require.NoError(t, err)
	require.Empty(t, due)
}

func TestAProcessThatCannotBeArchivedHoldsUpNoOther(t *testing.T) {
	s := newShelf(t, memevents.New())
	gone := task.Dataset{Count: 1, Digest: "d", Manifest: &task.Manifest{Ref: task.Ref{Key: "lists/gone", Size: 3, SHA256: sumOf("abc")}}}
	started, err := process.Decide(process.State{}, process.StartProcess{ID: "a", Definition: fanOut(), Inputs: map[string]task.Dataset{"in": gone}, At: s.now.Add(-time.Hour)})
	require.NoError(t, err)
	cancelled, err := process.Decide(process.Fold(process.State{}, started...), process.CancelProcess{At: s.now.Add(-time.Hour)})
	require.NoError(t, err)
	s.commit("a", append(started, cancelled...)...)
	s.keep("*", time.Hour, 0)
	s.pass(2 * time.Hour)
	_, err = (&Keeper{Archive: s.archive, Log: slog.New(slog.DiscardHandler)}).step(s.ctx, s.now)
	require.NoError(t, err)
	require.Equal(t, []string{archivedType}, s.stream())
}

func TestWhatEndedBeforeIsFoundByNameAndOldestFirst(t *testing.T) {
	s := newShelf(t, memevents.New())
	s.send("running", fanOut(), 1)
	s.step()
	for _, c := range []struct {
		before time.Time
		name   string
		found  int
	}{{s.now.Add(time.Second), "", 1}, {s.now.Add(time.Second), "fan-out", 1}, {s.now.Add(time.Second), "other", 0}, {s.now, "", 0}} {
		due, err := s.archive.EndedBefore(s.ctx, c.before, c.name)
		require.NoError(t, err)
		require.Len(t, due, c.found)
	}
}

func TestAnAgeIsWrittenInDaysAndYears(t *testing.T) {
	for text, want := range map[string]time.Duration{"30d": 30 * aDay, "1y": aYear, "12h": 12 * time.Hour, "1.5d": 36 * time.Hour, "0d": 0} {
		d, err := ParseAge(text)
		require.NoError(t, err, text)
		require.Equal(t, want, d, text)
	}
	for _, text := range []string{"", "d", "-1d", "-1h", "1w", "30", "NaNd", "Infy", "999999999y"} {
		_, err := ParseAge(text)
		require.ErrorContains(t, err, "write it like 30d, 1y or 12h", text)
	}
	require.Equal(t, "30d", Age(30*aDay).String())
	require.Equal(t, "2y", Age(2*aYear).String())
	require.Equal(t, "36h", Age(36*time.Hour).String())
}

func TestOfSeveralKeepersOnlyTheOneWhoseTurnItIsLooks(t *testing.T) {
	s := newShelf(t, memevents.New())
	s.keep("*", time.Hour, 20*aDay)
	s.pass(2 * time.Hour)
	turn := false
	keeper := &Keeper{Archive: s.archive, Log: slog.New(slog.DiscardHandler), Turn: func() bool { return turn }}
	next, err := keeper.step(s.ctx, s.now)
	require.NoError(t, err)
	require.NotEqual(t, []string{archivedType}, s.stream())
	require.Equal(t, keeperTurn, next.Sub(s.now), "the other one may end any time")
	turn = true
	s.pass(keeperTurn)
	_, err = keeper.step(s.ctx, s.now)
	require.NoError(t, err)
	require.Equal(t, []string{archivedType}, s.stream())
}
