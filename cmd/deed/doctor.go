package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/doctor"
)

// doctorOptions are what deed doctor looks at beside the folder or the server.
type doctorOptions struct {
	doctor.Examination

	mend string
}

func (a *app) doctor() *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong, and say what to do about it",
		Long: `Doctor looks for what is wrong: with this machine and the folder, with NATS and the
settings of its streams, with who orchestrates and who works, with the event store
and the blob store. It prints a line a check, and what to do below each that is not
ok. It changes nothing but for a probe in the blob store, waits for nothing longer
than some seconds, and also looks at what a role refuses to start with.

With --nats and --blobs it looks at the queues themselves, as a role sees them; with
--server it has the server look, and looks at the way to it.

--mend NAME gives the stream of a check the settings that deed needs, and nothing
else, and looks at that again. A setting that NATS changes for no one takes a new
stream: that is only made while nobody serves, and never of one that holds what cannot
be made again.

It exits with 0 if nothing fails; warnings are allowed.`,
		Example: `  deed doctor
  deed doctor --nats nats://n1:4222,nats://n2:4222,nats://n3:4222 --blobs file:///mnt/blobs
  deed doctor --server http://127.0.0.1:8420 -o json
  deed doctor --mend events-stream`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case (o.Server == "") != (o.Blobs == ""):
				return usagef("--nats and --blobs belong together: give both")
			case o.mend != "" && a.server != "":
				return usagef("--mend changes a stream, which no server does for others: give --data, or --nats and --blobs")
			}
			if o.mend != "" {
				if err := oneOf("--mend", o.mend, doctor.Mendable()); err != nil {
					return err
				}
			}
			if err := checkNATS(deed.Options{Server: o.Server, NATS: deed.NATSCredentials(o.NATS)}); err != nil {
				return err
			}
			return a.examine(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.mend, "mend", "", "set right the stream that the check `NAME` is about, and look at it again")
	flags.StringVar(&o.Server, "nats", "", "`URL` of a NATS server, or several with commas (the token in DEED_NATS_TOKEN)")
	flags.StringVar(&o.Blobs, "blobs", "", "`URL` of the blob store that belongs to it")
	natsFlags(flags, (*deed.NATSCredentials)(&o.NATS))
	flags.StringSliceVar(&o.Certificates, "tls-cert", nil, "`FILE` with a certificate that a server shows, to see how long it is good; may be repeated")
	flags.StringSliceVar(&o.Secrets, "private-file", nil, "`FILE` with a token or a key, to see whether others may read it; may be repeated")
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

func (a *app) examine(ctx context.Context, o doctorOptions) error {
	o.Program, o.Version, o.Log = program(), built().Version, a.log()
	if a.server != "" {
		return a.tellFindings(a.examineServer(ctx))
	}
	o.Events = a.events
	if o.Server == "" {
		o.Dir = a.data
	} else {
		o.Token = os.Getenv("DEED_NATS_TOKEN")
	}
	if o.mend != "" {
		done, err := doctor.Mend(ctx, o.Examination, o.mend)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.stderr, done)
		o.StreamsOnly = true
	}
	all := doctor.Examine(ctx, o.Examination)
	if o.mend != "" {
		all = slices.DeleteFunc(all, func(f doctor.Finding) bool { return f.Check != o.mend })
	}
	return a.tellFindings(all)
}

// tellFindings prints what was found. That something fails is the exit code.
func (a *app) tellFindings(all []doctor.Finding) error {
	count := map[string]int{}
	width := 0
	for _, f := range all {
		count[string(f.Status)]++
		width = max(width, len(f.Check))
	}
	failed := error(nil)
	if count["fail"] > 0 {
		failed = errSaid
	}
	if a.output == "json" {
		if err := a.printJSON(append([]doctor.Finding{}, all...)); err != nil {
			return err
		}
		return failed
	}
	for _, f := range all {
		fmt.Fprintf(a.stdout, "%-4s  %-*s  %s\n", f.Status, width, f.Check, printable(f.Found))
		if f.Fix != "" {
			fmt.Fprintf(a.stdout, "      %s  → %s\n", strings.Repeat(" ", width), printable(f.Fix))
		}
	}
	fmt.Fprintf(a.stderr, "%s: %d ok, %s, %d failed\n", amount.Of(len(all), "check"), count["ok"], amount.Of(count["warn"], "warning"), count["fail"])
	return failed
}
