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
		Use:   "spec [FILE... | TEXT]",
		Short: "Check what a process should do, told as given, when, then",
		Long: `Spec checks the specifications in files such as process.spec.yaml, which stands
beside process.yaml, and prints them as prose. Nothing is executed: given what
happened to a process, the rules of this binary are asked what follows. Of a
folder, it takes all files that end in .spec.yaml. It exits with 1 if a
specification does not hold, and with 2 if a file is at fault.

Without a file it tells the rules of deed itself in the same form: all, or those
whose feature or name has TEXT in it.`,
		Example: "  deed spec examples/wordcount\n  deed spec process.spec.yaml -o markdown > process.md\n  deed spec\n  deed spec retries",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && isSpecFile(args[0]) {
				return a.specFiles(args)
			}
			return a.ownSpecs(strings.Join(args, ""))
		},
	}
	a.outputFlag(cmd, "markdown", "json")
	return cmd
}

// ownSpecs tells the rules of deed: all, or those that have the text in their name.
func (a *app) ownSpecs(filter string) error {
	features := aggregate.Features()
	if filter != "" {
		if features = matching(features, filter); len(features) == 0 {
			return &notFoundError{fmt.Sprintf("no specification has %q in its name, and no file is called that", filter)}
		}
	}
	if err := specs.CheckAll(features...); err != nil {
		return err
	}
	text := specs.Prose(features...)
	switch a.output {
	case "markdown":
		text = aggregate.Page()
		if filter != "" {
			text = specs.Markdown("Specifications", "", features...)
		}
	case "json":
		return a.printJSON(specList(features))
	}
	_, err := fmt.Fprint(a.stdout, text)
	return err
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
