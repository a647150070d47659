package main

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

func TestWhatAutoscaleIsToldAboutItsWorkersIsWhatTheyAreTold(t *testing.T) {
	worker := (&app{}).worker()
	cmd := &cobra.Command{}
	takeOver(cmd, worker.Flags())
	require.NoError(t, cmd.ParseFlags([]string{
		"--pool", "gpu", "--concurrency=3", "--memory", "24GiB", "--gpu=1", "--handlers", "words/*,deed/*", "--allow", "sh -c *", "--allow", "a,b", "--data", "d", "--attached",
	}))
	require.NoError(t, worker.PreRunE(cmd, nil))
	require.Equal(t, []string{
		"--allow=sh -c *", "--allow=a,b", "--concurrency=3", "--gpu=1", "--handlers=words/*", "--handlers=deed/*", "--memory=24GiB", "--pool=gpu",
	}, passOn(cmd, worker.Flags()), "but for the place, which is found once for all")

	again := (&app{}).worker()
	require.NoError(t, again.ParseFlags(passOn(cmd, worker.Flags())), "a worker understands it")
	require.Error(t, cmd.ParseFlags([]string{"--memory", "much"}), "and what it would refuse is refused at once")
}
