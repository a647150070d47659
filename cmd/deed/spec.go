package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/specs/aggregate"
)

func (a *app) spec() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "spec [TEXT]",
		Short: "Tell the rules of deed as given, when, then",
		Long: `Spec checks the specifications of the process aggregate against the core of this
binary and prints them as prose: all, or those whose feature or name has TEXT in it.`,
		Example: "  deed spec\n  deed spec retries\n  deed spec -o markdown > specs.md",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			features := aggregate.Features()
			if len(args) == 1 {
				if features = matching(features, args[0]); len(features) == 0 {
					return &notFoundError{fmt.Sprintf("no specification has %q in its name", args[0])}
				}
			}
			if err := specs.CheckAll(features...); err != nil {
				return err
			}
			text := specs.Prose(features...)
			switch a.output {
			case "markdown":
				text = aggregate.Page()
				if len(args) == 1 {
					text = specs.Markdown("Specifications", "", features...)
				}
			case "json":
				return a.printJSON(specList(features))
			}
			_, err := fmt.Fprint(a.stdout, text)
			return err
		},
	}
	a.outputFlag(cmd, "markdown", "json")
	return cmd
}

func matching(features []specs.Feature, text string) []specs.Feature {
	text = strings.ToLower(text)
	var found []specs.Feature
	for _, f := range features {
		if !strings.Contains(strings.ToLower(f.Name), text) {
			var some []specs.Spec
			for _, s := range f.Specs {
				if strings.Contains(strings.ToLower(s.Name), text) {
					some = append(some, s)
				}
			}
			f.Specs = some
		}
		if len(f.Specs) > 0 {
			found = append(found, f)
		}
	}
	return found
}

type specJSON struct {
	Feature string `json:"feature"`
	Name    string `json:"name"`
	Text    string `json:"text"`
}

func specList(features []specs.Feature) []specJSON {
	var all []specJSON
	for _, f := range features {
		for _, s := range f.Specs {
			all = append(all, specJSON{Feature: f.Name, Name: s.Name, Text: s.String()})
		}
	}
	return all
}
