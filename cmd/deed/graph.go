package main

import (
	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/draw"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

func (a *app) graph() *cobra.Command {
	var form string
	cmd := &cobra.Command{
		Use:   "graph FILE",
		Short: "Draw a process: steps, data, fan-outs, groups",
		Example: `  deed graph examples/wordcount/process.yaml > wordcount.svg
  deed graph process.yaml -o dot | dot -Tpng > process.png`,
		Args: exactly("FILE"),
		PreRunE: func(*cobra.Command, []string) error {
			return oneOf("--output", form, []string{"svg", "dot", "mermaid", "json"})
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := parseFile(cmd.Context(), args[0])
			if err != nil {
				return definitionError(args[0], err)
			}
			def, faults := definition.Resolve(source, placeholders(source), nil, unread(source))
			if len(faults) > 0 {
				return &deed.FaultsError{Faults: faults}
			}
			drawing := map[string]func(definition.Definition) []byte{
				"svg": draw.SVG, "dot": draw.DOT, "mermaid": draw.Mermaid, "json": draw.JSON,
			}[form]
			_, err = a.stdout.Write(drawing(def))
			return err
		},
	}
	cmd.Flags().StringVarP(&form, "output", "o", "svg", "svg, dot, mermaid or json")
	return cmd
}

// unread are the files that travel with a definition, whose content a drawing
// does not need.
func unread(source *definition.Source) []task.File {
	var files []task.File
	for _, name := range source.AllFiles() {
		files = append(files, task.File{Name: name.Value})
	}
	return files
}

// placeholders stand for the parameters that are only known when the process
// is started: a drawing does not need them.
func placeholders(source *definition.Source) map[string]string {
	params := map[string]string{}
	for _, p := range source.Params {
		if p.Default == nil {
			params[p.Name.Value] = "…"
		}
	}
	return params
}
