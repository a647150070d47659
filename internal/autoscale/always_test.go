package autoscale

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/task"
)

func someLimits(t *rapid.T) Limits {
	lowest := rapid.IntRange(0, 5).Draw(t, "min")
	return Limits{
		Min: lowest, Max: max(lowest, 1) + rapid.IntRange(0, 50).Draw(t, "more"),
		Slots:    rapid.IntRange(1, 8).Draw(t, "slots"),
		Target:   time.Duration(rapid.IntRange(1, 100).Draw(t, "target")) * time.Second,
		CoolDown: time.Duration(rapid.IntRange(0, 60).Draw(t, "cool-down")) * time.Second,
	}
}

func someFigures(t *rapid.T) *Figures {
	if rapid.IntRange(0, 9).Draw(t, "away") == 0 {
		return nil
	}
	f := &Figures{
		Waiting: rapid.IntRange(0, 10_000).Draw(t, "waiting"), Out: rapid.IntRange(0, 100).Draw(t, "out"),
		Slots: rapid.IntRange(0, 100).Draw(t, "live slots"), Took: task.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "took")),
	}
	f.Others = rapid.IntRange(0, f.Slots).Draw(t, "others")
	f.Backlog = f.Took * task.Duration(f.tasks())
	return f
}

func TestWhateverIsSeenTheNumberKeepsTheLimitsAndTheCoolDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := someLimits(t)
		s, err := NewScaler(limits)
		require.NoError(t, err)
		type past struct {
			at   time.Time
			wish int
		}
		var wishes []past
		now := epoch
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 10_000).Draw(t, "later")) * time.Millisecond)
			f, live := someFigures(t), rapid.IntRange(0, limits.Max).Draw(t, "live")
			wish := s.Wanted()
			if f != nil {
				slots, _ := f.slotsFor(limits.Target)
				wish = s.workers(slots - f.Others)
			}
			wishes = append(wishes, past{now, wish})
			d := s.Step(now, f, live)

			require.Equal(t, s.Wanted(), d.To)
			require.True(t, limits.Min <= d.To && d.To <= limits.Max, "%d is not between %d and %d", d.To, limits.Min, limits.Max)
			require.NotEmpty(t, d.Why)
			switch {
			case d.To > d.From:
				require.LessOrEqual(t, d.To, wish)
				require.LessOrEqual(t, d.To, 2*live+1)
			case d.To < d.From:
				require.GreaterOrEqual(t, now.Sub(wishes[0].at), limits.CoolDown)
				for _, w := range wishes {
					require.False(t, now.Sub(w.at) <= limits.CoolDown && w.wish > d.To, "%d were wanted %s ago", w.wish, now.Sub(w.at))
				}
			}
			if f == nil {
				require.Equal(t, d.From, d.To, "without figures nothing changes")
			}
		}
	})
}

func TestAnyLoadThatStaysTheSameSettles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limits := Limits{Min: 0, Max: 40, Slots: rapid.IntRange(1, 4).Draw(rt, "slots"), Target: 10 * time.Second, CoolDown: 30 * time.Second}
		took := float64(rapid.IntRange(2, 50).Draw(rt, "tenths of a second")) / 10
		busy := rapid.Float64Range(0.5, 20).Draw(rt, "busy slots")
		s := newSim(t, limits)
		s.took = func(time.Duration) float64 { return took }
		s.arrive = func(time.Duration) float64 { return busy / took }
		s.waiting = rapid.IntRange(0, 2000).Draw(rt, "at first")
		s.until(20 * time.Minute)
		backlog := float64(s.figures().tasks()) * took
		least := int(busy) / limits.Slots
		require.GreaterOrEqual(rt, s.scaler.Wanted(), least, "it keeps up")
		require.LessOrEqual(rt, s.scaler.Wanted(), 3*least+4, "and needs not many more")
		require.Less(rt, backlog, 2*busy*10+10*took+20, "with a backlog of about the target")
	})
}
