package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/worker"
)

func TestWorkersThatShareAMachineOfferTheirShareOfItsMemoryUnlessItIsSaid(t *testing.T) {
	whole := worker.Memory()
	if whole == 0 {
		t.Skip("the memory of this machine is not known")
	}
	for _, c := range []struct {
		line    string
		workers int
		want    []string
	}{
		{"", 4, []string{fmt.Sprintf("--memory=%dB", whole/4)}},
		{"", 1, nil},
		{"--memory 2GiB", 4, nil},
	} {
		a := &app{}
		cmd := a.autoscale()
		require.NoError(t, cmd.ParseFlags(strings.Fields(c.line)))
		require.Equal(t, c.want, inShares(cmd, c.workers), "%q for %d", c.line, c.workers)
	}
	require.NoError(t, (&app{}).worker().Flags().Parse(inShares((&app{}).autoscale(), 3)), "a worker takes what it is passed")
}

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

func TestNoListOfProcessesShowsWhereWorkersOfAutoscaleJoin(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for name, value := range map[string]string{"DEED_DATA": "elsewhere", "DEED_CONTEXT": "", "DEED_POOL": "gpu"} {
		t.Setenv(name, value)
	}
	const nats, blobs = "nats://me:secret@10.0.0.1:4222", "s3://jobs?secret=x"
	worker := (&app{}).worker()
	cmd := &cobra.Command{}
	takeOver(cmd, worker.Flags())
	require.NoError(t, cmd.ParseFlags([]string{"--nats", nats, "--blobs", blobs, "--concurrency=3"}))
	line := passOn(cmd, worker.Flags())
	require.Equal(t, []string{"--concurrency=3"}, line)

	environment := placed(os.Environ(), nats, blobs)
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "DEED_") {
			t.Setenv(name, "") // which is none
		}
	}
	for _, variable := range environment {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "DEED_") {
			t.Setenv(name, value)
		}
	}
	a := &app{}
	joins := role(a.worker())[0]
	require.NoError(t, joins.ParseFlags(line))
	require.NoError(t, a.fill(joins))
	require.Equal(t, nats, valueOf(joins, "nats"))
	require.Equal(t, blobs, valueOf(joins, "blobs"))
	require.False(t, joins.Flags().Changed("data"), "another place is not asked for")
	require.Equal(t, "DEED_POOL", a.source["pool"], "what else was said in the environment stays")
}
