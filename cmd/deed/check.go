package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/definition"
)

func (a *app) check() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Check a definition before anything runs",
		Long: `Check reads a definition and says all that is wrong with it at once, one line a
fault: file:line:column, the address of the step, what is wrong and what to do.
It exits with 2 if there is any.`,
		Example: "  deed check examples/wordcount/process.yaml",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := parseFile(cmd.Context(), args[0])
			var faults *deed.FaultsError
			if err != nil && !errors.As(err, &faults) {
				return definitionError(args[0], err)
			}
			if faults != nil {
				return errors.Join(errSaid, err, a.printFaults(faults.Faults))
			}
			a.warnHandlers(source)
			if a.output == "json" {
				return a.printFaults(nil)
			}
			_, err = fmt.Fprintf(a.stdout, "%s: ok: process %s, %s\n", args[0], source.Name.Value, amount.Of(source.Total(), "step"))
			return err
		},
	}
	a.outputFlag(cmd, "json")
	return cmd
}

type faultJSON struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Address string `json:"address,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func (a *app) printFaults(faults []definition.Fault) error {
	if a.output == "json" {
		all := []faultJSON{}
		for _, f := range faults {
			all = append(all, faultJSON{f.File, f.Line, f.Column, f.Address, f.Code, f.Message, f.Hint})
		}
		return a.printJSON(all)
	}
	for _, f := range faults {
		if _, err := fmt.Fprintln(a.stdout, f); err != nil {
			return err
		}
	}
	return nil
}

// warnHandlers says which handlers this binary does not offer: that is no
// fault, but a worker of one's own has to.
func (a *app) warnHandlers(source *definition.Source) {
	known := handlers().Names()
	source.Walk(func(_ string, n *definition.Node) {
		if n.Run == nil || !n.Run.Handler.Given() || slices.Contains(known, n.Run.Handler.Value) {
			return
		}
		if _, standard := definition.Standard(n.Run.Handler.Value); !standard {
			fmt.Fprintf(a.stderr, "%s: note: this binary has no handler %q; a worker of your own must offer it\n", n.Run.Handler.Pos, n.Run.Handler.Value)
		}
	})
}
