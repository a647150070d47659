package main

import (
	"github.com/spf13/cobra"

	"github.com/deedrun/deed/sdk/python"
)

func (a *app) python() *cobra.Command {
	return &cobra.Command{
		Use:   "python",
		Short: "Print deed.py, which makes a Python function a handler",
		Long: `Python prints deed.py: one file, without dependencies, for Python 3.9 or later. Put it
beside the program and let both travel with the definition, files: [deed.py, count.py];
docs/programs.md says the rest, and so does help(deed).`,
		Example: `  deed python > deed.py`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(python.File)
			return err
		},
	}
}
