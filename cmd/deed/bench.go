package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed/internal/bench"
)

// benchChild is the hidden command that measures one subject; `deed bench` runs
// itself by it.
const benchChild = "child"

func (a *app) bench() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast deed is here, against what the disk and NATS allow",
		Long: `Bench does one kind of work several ways, one after the other, and prints what each
took: deed, and beside it the same work without an orchestrator, with the same
settings of the same server in the same run. Compare the ratios; a figure of another
machine or hour says little.

Each way is measured in a process and a folder of its own, below --data, which are
gone afterwards. With --rounds they take turns, and what is printed is the median.`,
		Example: "  deed bench fanout --n 100000 --rounds 5\n  deed bench chain --n 200 --width 1\n  deed bench fanout --n 100000 -o json > before.json\n  deed bench compare before.json after.json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// Where deed is, as the environment and contexts say, is not where it is measured.
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.beginLog() },
	}
	cmd.AddCommand(a.benchWordCount(), a.benchMany(), a.benchColdstart())
	cmd.AddCommand(a.benchFanout(), a.benchChain(), a.benchCompare(), a.benchChild())
	return cmd
}

// benchChild is not for people.
func (a *app) benchChild() *cobra.Command {
	return &cobra.Command{
		Use:    benchChild,
		Short:  "Measure what standard input says; deed bench does this",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench.Child(cmd.Context(), a.stdin, a.stdout)
		},
	}
}

// benchScenario completes the command of a scenario: it measures n of what the
// scenario is about, with the parameters that params returns once flags are read.
func (a *app) benchScenario(cmd *cobra.Command, scenario bench.Scenario, n int, what string, params func(n int) (any, error)) *cobra.Command {
	var rounds int
	var dir, profiles string
	cmd.Args = cobra.NoArgs
	cmd.Flags().IntVar(&n, "n", n, "how many "+what)
	cmd.Flags().IntVar(&rounds, "rounds", 1, "how often; the ways take turns, and medians are printed")
	cmd.Flags().StringVar(&dir, "data", "", "`DIR` for the folders that are measured in, on the disk that you mean (default: where temporary files are)")
	cmd.Flags().StringVar(&profiles, "profile", "", "`DIR` for a CPU profile of each way in each round, for go tool pprof")
	a.outputFlag(cmd, "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if n < 1 || rounds < 1 {
			return usagef("--n %d --rounds %d: both are at least 1", n, rounds)
		}
		p, err := params(n)
		if err != nil {
			return err
		}
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find this program, to measure in processes of their own: %w", err)
		}
		plan := &bench.Plan{
			Scenario: scenario, N: n, Params: p, Rounds: rounds, Dir: dir,
			Command: []string{self, "bench", benchChild}, Profiles: profiles, Progress: a.tellRound,
		}
		result, err := plan.Run(cmd.Context())
		if err != nil {
			return err
		}
		if a.output == "json" {
			return a.printJSON(result)
		}
		return a.tellBench(result)
	}
	return cmd
}

// tellRound says that something goes on.
func (a *app) tellRound(round int, subject string, m bench.Measure) {
	took := bench.Count(m.TasksPS) + " tasks/s"
	if m.Tasks == 0 { // where it is not a rate that counts
		took = fmt.Sprintf("%.3gs", m.Seconds)
	}
	fmt.Fprintf(a.stderr, "round %d: %s: %s\n", round, subject, took)
}

// tellBench prints the medians, and where they are from.
func (a *app) tellBench(r *bench.Result) error {
	if err := a.table(r.Table()); err != nil {
		return err
	}
	for _, line := range r.Notes() {
		fmt.Fprintln(a.stderr, strings.TrimSpace(printable(line)))
	}
	return nil
}
