package main

import (
	"github.com/spf13/cobra"

	"github.com/deedrun/deed/internal/bench"
)

func (a *app) benchColdstart() *cobra.Command {
	p := bench.ColdstartParams{Starts: 10}
	cmd := &cobra.Command{
		Use:   "coldstart",
		Short: "Start deed in a folder with a long history, until its first task is executed",
		Long: `Coldstart makes a folder in which --n tasks of a process are done and a few are left, and
measures from the start of a new operating-system process until it executes the first
of these. Its ways are

  raw     an embedded NATS server in an empty folder, until it is ready
  empty   deed in an empty folder, until a task is executed that is submitted to it
  single  deed in a folder that was filled with one task a message
  ranges  deed in a folder that was filled as deed does, which has fewer events

Each round starts every way several times, always in a folder as it was left by a
runtime that was closed in order.`,
		Example: "  deed bench coldstart --n 1000000\n  deed bench coldstart --n 100000 --starts 100 -o json",
	}
	cmd.Flags().IntVar(&p.Starts, "starts", p.Starts, "how often in each round")
	return a.benchScenario(cmd, bench.Coldstart(), 100_000, "tasks that are done", func(n int) (any, error) {
		if p.Starts < 1 {
			return nil, usagef("--starts %d: give at least 1", p.Starts)
		}
		p.N = n
		return p, nil
	})
}
