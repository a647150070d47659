package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
)

// app is what all commands share.
type app struct {
	stdin   io.Reader
	stdout  io.Writer // data, and nothing else
	stderr  io.Writer // everything else
	server  string
	lock    lock
	data    string
	context string
	events  string
	source  map[string]string // by flag: what said its value, see fill
	joined  string            // where the events are, as a server of the folder said
	reached bool              // the server has answered before
	lost    time.Time         // since when it does not any more; zero: it does
	output  string
	logging logging
	traces  *traces // nil: nobody collects them
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	a.endTraces(err)
	switch {
	case err == nil || errors.Is(err, errSaid):
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		a.complain("interrupted")
	default:
		a.complain(err.Error() + a.remedy(err))
	}
	return exitCode(err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "deed",
		Short: "Run large data jobs",
		Long: `deed runs large data jobs: a process definition says which steps read and write
which data; workers compete for the tasks; an event-sourced aggregate keeps the
record, so that anything may be killed at any time and go on where it was.

Exit codes: 0 ok, 1 the process failed, 2 usage or bad definition, 3 not found,
4 refused or conflict, 5 unreachable, 6 the process was cancelled, 7 the wait timed
out, 130 interrupted.

Where deed is, each command takes as --server, --data or --context, or else from
the environment (DEED_SERVER, DEED_DATA, DEED_CONTEXT, DEED_EVENTS), or else from the
current context. A server that asks for a token is shown that of --token-file, or else
DEED_TOKEN, or else the context. Every flag of a role, such as worker, can be given in the environment,
too, as DEED_ and its name: DEED_POOL for --pool. Lists have commas.`,
		Example: `  deed run examples/wordcount/process.yaml --in corpus=examples/wordcount/corpus
  deed show @latest
  deed history @latest`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.fill(cmd); err != nil {
				return err
			}
			if err := a.beginLog(); err != nil {
				return err
			}
			a.beginTraces(cmd)
			return nil
		},
	}
	a.logging.flags(root.PersistentFlags())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(a.cancel(), a.pause(), a.resume(), a.retry(), a.restart(), a.set(), a.migrate(), a.wait())
	root.AddCommand(a.run(), a.check(), a.plan(), a.graph(), a.ps(), a.show(), a.history(), a.spec(), a.schema(), a.python(), a.version())
	root.AddCommand(a.timeouts(), a.why(), a.logs(), a.shell(), a.quarantine(), a.viewsCommand())
	root.AddCommand(a.replay(), a.archive(), a.importing(), a.retention(), a.gc(), a.cache(), a.contexts(), a.submitting(), a.ready(), a.auth(), a.bench())
	root.AddCommand(role(a.up(), a.serve(), a.worker(), a.autoscale(), a.doctor())...)
	explainArgs(root)
	return root
}

// explainArgs makes wrong arguments of any command an error that says its usage.
func explainArgs(parent *cobra.Command) {
	for _, c := range parent.Commands() {
		explainArgs(c)
		if args := c.Args; args != nil {
			c.Args = func(cmd *cobra.Command, given []string) error {
				if err := args(cmd, given); err != nil {
					return &usageError{fmt.Errorf("%w\nusage: %s", err, cmd.UseLine())}
				}
				return nil
			}
		}
	}
}

const defaultData = ".deed"

// eventsVariable names the event store in the environment, where no list of
// processes shows its password.
const eventsVariable = "DEED_EVENTS"

// dataFlag declares where deed is, for commands that ask.
func (a *app) dataFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.server, "server", "", "`URL` of the API of `deed serve` or `deed up`, such as http://127.0.0.1:8420, instead of a folder")
	a.lockFlags(cmd)
	a.folderFlag(cmd)
	a.eventsFlag(cmd)
}

func (a *app) folderFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.data, "data", defaultData, "folder with the events, queues and blobs")
	cmd.Flags().StringVar(&a.context, "context", "", "`NAME` of the place where deed is, see deed context")
}

func (a *app) eventsFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.events, "events", "", "`URL` of an event store elsewhere, such as esdb://user:password@host:2113 (default: "+eventsVariable+", or else jetstream, in the folder)")
}

// open opens the data folder, or joins whoever serves it, or the server. The
// one of a folder says where the events are; it may end before the command does,
// so that is remembered.
func (a *app) open(ctx context.Context, o deed.Options) (*deed.Runtime, error) {
	if a.server != "" {
		return a.openServer(ctx, o.Read)
	}
	o.Dir, o.Log, o.Tracer = a.data, a.log(), a.tracer()
	o.Events = cmp.Or(a.events, a.joined)
	r, err := deed.Open(ctx, o)
	if err == nil {
		a.joined = r.EventsURL()
	}
	return r, err
}

func (a *app) outputFlag(cmd *cobra.Command, forms ...string) {
	cmd.Flags().StringVarP(&a.output, "output", "o", "text", "form of what is printed: "+list(append([]string{"text"}, forms...)))
	check := func(*cobra.Command, []string) error {
		return oneOf("--output", a.output, append([]string{"text"}, forms...))
	}
	cmd.PreRunE = check
}

// colour reports whether standard error takes colours.
func (a *app) colour() bool {
	return os.Getenv("NO_COLOR") == "" && isTerminal(a.stderr)
}
