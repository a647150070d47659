package process

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// Room is shared as if it were given away place by place.
func TestRoomGoesPlaceByPlaceToTheStepThatHasTheFewestOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		room := rapid.IntRange(0, 40).Draw(t, "room")
		var claims []claim
		for i := range rapid.IntRange(0, 6).Draw(t, "claims") {
			claims = append(claims, claim{node: i, open: rapid.IntRange(0, 30).Draw(t, "open"), wants: rapid.IntRange(1, 30).Draw(t, "wants")})
		}
		want := append([]claim(nil), claims...)
		for range room {
			fewest := -1
			for i, c := range want {
				if c.gets < c.wants && (fewest < 0 || c.open+c.gets < want[fewest].open+want[fewest].gets) {
					fewest = i
				}
			}
			if fewest < 0 {
				break
			}
			want[fewest].gets++
		}
		share(room, claims)
		require.Equal(t, want, claims)
	})
}

func TestRoomForMillionsIsSharedAtOnce(t *testing.T) {
	claims := make([]claim, definition.MaxSteps)
	for i := range claims {
		claims[i] = claim{node: i, open: i % 7, wants: MaxTasks}
	}
	share(MaxTasks, claims)
	given := 0
	for _, c := range claims {
		given += c.gets
		require.InDelta(t, claims[0].open+claims[0].gets, c.open+c.gets, 1)
	}
	require.Equal(t, MaxTasks, given)
}

// A process of many small steps is decided on in one pass over them a command,
// not in one a step.
func TestTenThousandStepsThatBeginTogetherShareTheRoomOfTheirProcess(t *testing.T) {
	def := fanOut(0)
	def.Outputs, def.Parallelism = nil, 3*definition.MaxSteps/2
	work := def.Steps[0]
	def.Steps = nil
	for i := range definition.MaxSteps {
		step := work
		step.Address, step.Out = "work"+string(rune('a'+i%26))+task.Span(i, 1).String(), nil
		def.Steps = append(def.Steps, step)
	}
	s := decideAll(t, State{}, StartProcess{ID: "p", Definition: def, Inputs: map[string]task.Dataset{"in": listOf(5)}, At: start})
	require.Equal(t, def.Parallelism, s.openTasks())
	require.Equal(t, 2, s.Steps()[0].Scheduled)
	require.Equal(t, 1, s.Steps()[definition.MaxSteps-1].Scheduled)
}
