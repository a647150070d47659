package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deedrun/deed/worker"
)

// takeOver gives a command the flags of another one, which checks them, and
// whose command line they are for in the end.
func takeOver(cmd *cobra.Command, from *pflag.FlagSet) {
	from.VisitAll(func(f *pflag.Flag) {
		taken := *f
		if _, several := f.Value.(pflag.SliceValue); !several {
			taken.Value = &asGiven{Value: f.Value}
		}
		cmd.Flags().AddFlag(&taken)
	})
}

// asGiven is a value that remembers how it was said: not every kind can tell.
type asGiven struct {
	pflag.Value

	text string
}

// Set takes what the value itself takes.
func (g *asGiven) Set(text string) error {
	err := g.Value.Set(text)
	if err == nil {
		g.text = text
	}
	return err
}

func (g *asGiven) String() string {
	if g.text != "" {
		return g.text
	}
	return g.Value.String()
}

// notPassed are those flags of a worker that its starter decides on.
var notPassed = append([]string{"data", "context", "nats", "blobs", "attached", "help"}, watchFlags...)

// watchFlags are about where a role is watched: workers on one machine cannot all
// be at the address at which their starter is.
var watchFlags = []string{"metrics", "metrics-token-file", "tls-cert", "tls-key"}

// unwatched is an environment without them.
func unwatched(environment []string) []string {
	return slices.DeleteFunc(slices.Clone(environment), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.ContainsFunc(watchFlags, func(flag string) bool { return name == variableOf(flag) })
	})
}

// placed is the environment of workers that join by addresses, which have
// passwords: a list of processes shows a command line to everybody. Nothing else
// in it says where deed is.
func placed(environment []string, nats, blobs string) []string {
	if nats == "" {
		return environment // the command line has the folder
	}
	environment = slices.DeleteFunc(slices.Clone(environment), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.ContainsFunc(ways, func(way []string) bool {
			return slices.ContainsFunc(way, func(flag string) bool { return name == variableOf(flag) })
		})
	})
	return append(environment, variableOf("nats")+"="+nats, variableOf("blobs")+"="+blobs)
}

// passOn is the part of a worker's command line that was said to its starter, on
// the command line, in the environment or in a context.
func passOn(cmd *cobra.Command, worker *pflag.FlagSet) (args []string) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if worker.Lookup(f.Name) == nil || slices.Contains(notPassed, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if several, ok := f.Value.(pflag.SliceValue); ok {
			values = several.GetSlice()
		}
		for _, value := range values {
			args = append(args, "--"+f.Name+"="+value)
		}
	})
	return args
}

// valueOf is what a flag says; "" if the command has no such flag.
func valueOf(cmd *cobra.Command, flag string) string {
	if f := cmd.Flags().Lookup(flag); f != nil {
		return f.Value.String()
	}
	return ""
}

// inShares divides the memory of this machine among as many workers as there may
// be, unless it was said what each offers: together they must not admit more
// than there is. Cores are not divided: too many tasks on them only take longer.
func inShares(cmd *cobra.Command, workers int) []string {
	if cmd.Flags().Changed("memory") || workers < 2 || worker.Memory() == 0 {
		return nil
	}
	return []string{fmt.Sprintf("--memory=%dB", worker.Memory()/int64(workers))}
}
