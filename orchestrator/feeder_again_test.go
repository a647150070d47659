package orchestrator

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestWhatWaitsIsCountedOnceHoweverOftenAProcessIsRevisedPausedOrResumed(t *testing.T) {
	r := newRig(t)
	r.beat(task.Heartbeat{Worker: "w", Slots: 4})
	r.step()
	def := fanOut()
	r.send("p", def, 1000)
	r.step()
	require.Equal(t, 992, r.owner.feeder.waiting("p"))
	for i := range 3 {
		def.Weight = i + 2
		r.ask("p", process.ReviseProcess{Definition: def, Asked: process.Asked{Command: fmt.Sprintf("set-%d", i)}})
		r.ask("p", process.PauseProcess{Asked: process.Asked{Command: fmt.Sprintf("pause-%d", i)}})
		r.ask("p", process.ResumeProcess{Asked: process.Asked{Command: fmt.Sprintf("resume-%d", i)}})
		r.step()
		require.Equal(t, 1000, r.owner.feeder.waiting("p"))
	}
}
