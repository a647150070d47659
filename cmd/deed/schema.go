package main

import (
	"github.com/spf13/cobra"

	"github.com/deedrun/deed/orchestrator/definition/parse"
)

func (a *app) schema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of definitions, for editors",
		Example: `  deed schema > deed.schema.json
  # and at the top of a definition:
  # yaml-language-server: $schema=deed.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			schema, err := parse.Schema()
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(schema)
			return err
		},
	}
}
