package main

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/worker"
)

// allowed is what --allow says. Given once and empty it is nothing.
type allowed []string

// offerFlags declares what a worker takes, and what it has for that.
func offerFlags(flags *pflag.FlagSet, o *deed.Options, allow *allowed) {
	flags.Func("pool", "`NAME` of the pool whose tasks it takes (default: those that name none)", func(text string) (err error) {
		o.Pool, err = definition.ParsePool(text)
		return err
	})
	flags.IntVar(&o.Workers, "concurrency", 0, "tasks at a time (default: one a core)")
	flags.Func("cpu", "`CORES` that its tasks may need together (default: those that this process may use)", func(text string) (err error) {
		o.Offer.CPU, err = definition.ParseCPU(text)
		return err
	})
	flags.Func("memory", "`SIZE` that its tasks may need together, such as 24GiB (default: that of the machine or container)", func(text string) (err error) {
		o.Offer.Memory, err = definition.ParseMemory(text)
		return err
	})
	flags.Func("gpu", "`DEVICES` that its tasks may need together (default: none)", func(text string) (err error) {
		o.Offer.GPU, err = definition.ParseGPU(text)
		return err
	})
	flags.StringSliceVar(&o.Only, "handlers", nil, "`PATTERN` of the handlers that it offers, such as 'words/*'; may be repeated (default: all that it has)")
	allow.flag(flags, "any, or none with --nats")
	flags.DurationVar(&o.DrainTimeout, "drain-timeout", 10*time.Second, "how long what it executes may take once it leaves")
}

func (allow *allowed) flag(flags *pflag.FlagSet, without string) {
	flags.StringArrayVar((*[]string)(allow), "allow", nil, "`PATTERN` of the programs that it may run; may be repeated; '' for none (default: "+without+")")
}

// runsNone is said of a worker of which others may ask something, and that was not
// told which programs to run.
const runsNone = "it runs no programs, only handlers: --allow names those that it may run"

// check fills in the patterns of programs.
func (allow allowed) check(o *deed.Options) error {
	switch {
	case len(allow) == 0:
		return nil
	case len(allow) == 1 && allow[0] == "":
		o.Allow = []string{}
		return nil
	}
	if err := worker.CheckAllow(allow); err != nil {
		return usagef("--%w", err)
	}
	o.Allow = allow
	return nil
}
