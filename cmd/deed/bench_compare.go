package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed/internal/bench"
)

func (a *app) benchCompare() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compare BEFORE.json AFTER.json",
		Short: "Compare two results of a benchmark",
		Long: `Compare prints what each figure of the second result is of that of the first. The
files are what deed bench prints with -o json. Results of different machines, or of
different hours of one, are best compared by their ratios to the raw loop.`,
		Example: "  deed bench compare before.json after.json",
		Args:    between("two files: BEFORE.json AFTER.json", 2, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			before, err := readBench(args[0])
			if err != nil {
				return err
			}
			after, err := readBench(args[1])
			if err != nil {
				return err
			}
			c, err := bench.Compare(before, after)
			if err != nil {
				return &usageError{err}
			}
			if a.output == "json" {
				return a.printJSON(c)
			}
			for _, w := range c.Warnings {
				fmt.Fprintln(a.stderr, "not the same in both: "+printable(w))
			}
			return a.table(c.Table())
		},
	}
	a.outputFlag(cmd, "json")
	return cmd
}

// readBench reads a result that was printed before.
func readBench(path string) (*bench.Result, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &notFoundError{fmt.Sprintf("there is no file %q: write one with `deed bench fanout -o json > %s`", path, path)}
	}
	if err != nil {
		return nil, err
	}
	r := new(bench.Result)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, usagef("%s: it is no result of a benchmark (%w): write one with `deed bench … -o json`", path, err)
	}
	return r, nil
}
