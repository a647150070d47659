package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/amount"
)

// jobOptions are the flags that say what a process is to be, for the commands that
// start or plan one.
type jobOptions struct {
	inputs, links, params, settings []string
	noCache                         bool // what equal tasks left is not used
}

// flags are those that mean the same to all of them; what --no-cache does differs.
func (o *jobOptions) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&o.inputs, "in", nil, "`NAME=PATH` of an input, or its URL; may be repeated")
	flags.StringArrayVar(&o.links, "link", nil, "`NAME=PATH` of an input that is read where it lies; may be repeated")
	flags.StringArrayVar(&o.params, "param", nil, "`NAME=VALUE` of a parameter")
	flags.StringArrayVar(&o.settings, "set", nil, "`ADDRESS.SETTING=VALUE`, such as count.timeout=5m")
}

// readsStdin reports whether an input is standard input.
func (o jobOptions) readsStdin() bool {
	return slices.ContainsFunc(o.inputs, func(in string) bool { return strings.HasSuffix(in, "=-") })
}

// job reads the command line into a job.
func (a *app) job(ctx context.Context, file string, o jobOptions) (deed.Job, error) {
	source, err := parseFile(ctx, file)
	if err != nil {
		return deed.Job{}, definitionError(file, err)
	}
	job := deed.Job{Source: source, Inputs: map[string]deed.Input{}, By: person(), NoCache: o.noCache}
	if job.Params, err = pairs("--param", o.params); err != nil {
		return job, err
	}
	if job.Settings, err = pairs("--set", o.settings); err != nil {
		return job, err
	}
	paths, err := namedPaths("--in", o.inputs)
	if err != nil {
		return job, err
	}
	links, err := namedPaths("--link", o.links)
	if err != nil {
		return job, err
	}
	for name, p := range links {
		if _, both := paths[name]; both {
			return job, usagef("--in %s and --link %s: all of an input is copied, or none; give one of them", name, name)
		}
		job.Inputs[name] = deed.Linked(p...)
	}
	stdin := ""
	for name, p := range paths {
		if slices.Contains(p, "-") {
			if len(p) > 1 {
				return job, usagef("--in %s=-: standard input is all of an input; write a file that is called - as ./-", name)
			}
			if stdin != "" {
				return job, usagef("--in %s=- and --in %s=-: standard input can be read once", stdin, name)
			}
			stdin = name
			job.Inputs[name] = deed.Stream(interruptible(ctx, a.stdin))
			continue
		}
		job.Inputs[name] = deed.Files(p...)
	}
	return job, nil
}

// namedPaths are the paths that are given for each name.
func namedPaths(flag string, given []string) (map[string][]string, error) {
	paths := map[string][]string{}
	for _, in := range given {
		name, path, ok := strings.Cut(in, "=")
		if !ok || name == "" || path == "" {
			return nil, usagef("%s %q: write it as NAME=PATH", flag, in)
		}
		paths[name] = append(paths[name], path)
	}
	return paths, nil
}

func pairs(flag string, given []string) (map[string]string, error) {
	m := map[string]string{}
	for _, s := range given {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, usagef("%s %q: write it as NAME=VALUE", flag, s)
		}
		if _, twice := m[name]; twice {
			return nil, usagef("%s %s is given twice", flag, name)
		}
		m[name] = value
	}
	return m, nil
}

// definitionError explains why a definition cannot be used.
func definitionError(file string, err error) error {
	var faults *deed.FaultsError
	switch {
	case errors.As(err, &faults):
		return fmt.Errorf("%s cannot be run; %s:\n%w", file, amount.Of(len(faults.Faults), "fault"), err)
	case errors.Is(err, os.ErrNotExist):
		return &usageError{fmt.Errorf("there is no definition %q", file)}
	}
	return &usageError{err}
}
