package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ways are those to say where deed is, each by its flags. The highest level
// that says one counts, and that one alone: a folder from the command line is
// never mixed with the server of a context.
var ways = [][]string{{"server"}, {"data"}, {"context"}, {"nats", "blobs"}}

// roleMark marks a command that is a role: one that is started by machines, so
// that each of its flags can be given in the environment.
const roleMark = "role"

// role marks commands as roles.
func role(commands ...*cobra.Command) []*cobra.Command {
	for _, c := range commands {
		c.Annotations = map[string]string{roleMark: ""}
	}
	return commands
}

// fromLine is the source of a flag that was given on the command line.
const fromLine = "command line"

// variableOf is the environment variable that stands for a flag.
func variableOf(flag string) string {
	return "DEED_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// level is how a value was said.
type level struct {
	declared func(flag string) bool
	said     func(flag string) bool
	as       func(flag string) string // how it is spelt there
}

// way is the one way that a level says; nil if it says none.
func (l level) way() ([]string, error) {
	var found []string
	var spelt []string
	for _, way := range ways {
		said := slices.DeleteFunc(slices.Clone(way), func(flag string) bool { return !l.declared(flag) || !l.said(flag) })
		if len(said) > 0 {
			found, spelt = way, append(spelt, l.as(said[0]))
		}
	}
	if len(spelt) > 1 {
		return nil, usagef("%s: each says where deed is; give one", strings.Join(spelt, " and "))
	}
	return found, nil
}

// fill gives the flags that a command line leaves out their values, from the
// environment and then from the file of the user. After it a command looks at
// its flags alone.
func (a *app) fill(cmd *cobra.Command) error {
	flags := cmd.Flags()
	declared := func(name string) bool { return flags.Lookup(name) != nil }
	line := level{declared, flags.Changed, func(flag string) string { return "--" + flag }}
	environment := level{declared, func(flag string) bool { return os.Getenv(variableOf(flag)) != "" }, variableOf}
	way, err := line.way()
	if err == nil && way == nil {
		way, err = environment.way()
	}
	if err != nil {
		return err
	}
	a.source = map[string]string{}
	flags.Visit(func(f *pflag.Flag) { a.source[f.Name] = fromLine })
	if err := a.fromEnvironment(cmd, way); err != nil {
		return err
	}
	if declared("context") && (len(way) == 0 || way[0] == "context") {
		if err := a.fromContext(cmd); err != nil {
			return err
		}
	}
	return a.checkPlace()
}

// checkPlace refuses what says where deed is, and could not.
func (a *app) checkPlace() error {
	if err := a.checkLock(); err != nil {
		return err
	}
	switch {
	case a.server == "":
		return nil
	case a.source["events"] == fromLine:
		return usagef("--events belongs to --data: the server at %s knows where its events are", a.where())
	}
	return checkServer(a.server)
}

// fromEnvironment fills in the flags of a role, and of any other command those
// that say where deed is.
func (a *app) fromEnvironment(cmd *cobra.Command, way []string) error {
	_, isRole := cmd.Annotations[roleMark]
	var faults []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		where := slices.ContainsFunc(ways, func(w []string) bool { return slices.Contains(w, f.Name) })
		switch value := os.Getenv(variableOf(f.Name)); {
		case f.Changed || f.Hidden || f.Name == "help" || value == "":
		case where && !slices.Contains(way, f.Name):
		case !where && !isRole && f.Name != "events" && !logged(f.Name) && !slices.Contains(lockFlagNames, f.Name):
		default:
			faults = append(faults, a.give(cmd, f, value, variableOf(f.Name)))
		}
	})
	return errors.Join(faults...)
}

// give gives a flag a value that was said elsewhere. A flag that may be given
// several times takes a list with commas.
func (a *app) give(cmd *cobra.Command, f *pflag.Flag, value, source string) error {
	var err error
	if several, ok := f.Value.(pflag.SliceValue); ok {
		err = several.Replace(strings.Split(value, ","))
		f.Changed = err == nil
	} else {
		err = cmd.Flags().Set(f.Name, value)
	}
	if err != nil {
		var invalid *pflag.InvalidValueError
		if errors.As(err, &invalid) {
			err = invalid.Unwrap()
		}
		if f.Value.Type() == "bool" {
			err = errors.New("give true or false")
		}
		return usagef("%s=%q is no value for --%s: %w", source, value, f.Name, err)
	}
	a.source[f.Name] = source
	return nil
}

// fromContext fills in what the context says that is asked for, or is current.
func (a *app) fromContext(cmd *cobra.Command) error {
	path, err := configFile()
	if err != nil && a.context == "" {
		return nil // who has no home has no contexts
	}
	if err != nil {
		return err
	}
	c, err := readConfig(path)
	if err != nil {
		return err
	}
	name := cmp.Or(a.context, c.Current)
	if name == "" {
		return nil
	}
	p, err := c.context(name, path)
	if err != nil {
		return &usageError{err}
	}
	if a.context == "" {
		a.source["context"] = "current in " + path
	}
	a.context = name
	chosen, err := p.forCommand(cmd, name)
	if err != nil {
		return err
	}
	for _, s := range chosen {
		f := cmd.Flags().Lookup(s.name)
		if f == nil || f.Changed || s.name == "token-file" && os.Getenv(tokenVariable) != "" {
			continue
		}
		if err := a.give(cmd, f, s.value, fmt.Sprintf("context %s", name)); err != nil {
			return err
		}
	}
	return nil
}

// forCommand is what a place is to a command: who asks goes to the server, a
// role to the queues, and both to a folder.
func (p place) forCommand(cmd *cobra.Command, name string) ([]setting, error) {
	asks, role := cmd.Flags().Lookup("server") != nil, cmd.Flags().Lookup("nats") != nil
	switch {
	case p.Data != "":
		return place{Data: p.Data, Events: p.Events}.settings(), nil
	case asks && p.Server != "":
		return place{Server: p.Server, TokenFile: p.TokenFile, CAFile: p.CAFile}.settings(), nil
	case asks && !role:
		return nil, usagef("context %s says where the queues are, not where people ask: give --server, the address of `deed serve` or `deed up`", name)
	case role && p.Nats != "":
		return place{Nats: p.Nats, NatsNkey: p.NatsNkey, NatsCreds: p.NatsCreds, NatsCA: p.NatsCA, Blobs: p.Blobs, Events: p.Events}.settings(), nil
	case role:
		return nil, usagef("context %s says where people ask, not where the queues are: give --nats and --blobs, or --data", name)
	}
	return nil, usagef("context %s is no folder: give --data", name)
}

// spelt is a flag as it was said: on the command line, or by a variable.
func (a *app) spelt(flag string) string {
	if a.source[flag] == variableOf(flag) {
		return variableOf(flag)
	}
	return "--" + flag
}
