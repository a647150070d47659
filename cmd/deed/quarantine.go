package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/upkeep"
)

func (a *app) quarantine() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: "Look at the messages that could not be used, and send them again",
		Long: `A message that a worker or the orchestrator cannot use, because it is no message
of deed, is damaged, or was made by a newer version, is put into quarantine: it
is never dropped, and never tried again by itself.`,
		Example: "  deed quarantine ls\n  deed quarantine show 3\n  deed quarantine retry 3\n  deed quarantine retry all",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, c := range []*cobra.Command{a.quarantineList(), a.quarantineShow(), a.quarantineRetry()} {
		a.dataFlag(c)
		a.outputFlag(c, "json")
		cmd.AddCommand(c)
	}
	return cmd
}

func (a *app) quarantineList() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the messages in quarantine, the oldest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []wire.Quarantined
			err := a.inQuarantine(cmd.Context(), func(ctx context.Context, q upkeep.Upkeep) (err error) {
				all, err = q.Quarantine(ctx)
				return err
			})
			if err != nil {
				return err
			}
			if a.output == "json" {
				shown := []quarantinedJSON{}
				for _, m := range all {
					shown = append(shown, shownQuarantined(m))
				}
				return a.printJSON(shown)
			}
			if len(all) == 0 {
				fmt.Fprintln(a.stderr, "nothing is in quarantine")
				return nil
			}
			const widest = 100
			rows := [][]string{{"N", "SINCE", "FROM", "PROCESS", "SIZE", "REASON"}}
			for _, m := range all {
				rows = append(rows, []string{
					strconv.FormatUint(m.Number, 10), m.Since.Local().Format(time.DateTime), m.From, m.Key,
					amount.Bytes(int64(len(m.Body))), shortened(m.Reason, widest),
				})
			}
			return a.table(rows)
		},
	}
}

func (a *app) quarantineShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show N",
		Short: "Show a message in quarantine, and why it is there",
		Args:  exactly("number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var m wire.Quarantined
			err := a.inQuarantine(cmd.Context(), func(ctx context.Context, q upkeep.Upkeep) (err error) {
				m, err = a.quarantined(ctx, q, args[0])
				return err
			})
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(shownQuarantined(m))
			}
			_, err = fmt.Fprintf(a.stdout, "message %d, in quarantine since %s\nfrom     %s\nprocess  %s\nreason   %s\nbody     %s\n\n%s\n",
				m.Number, m.Since.Local().Format(time.DateTime), printable(m.From), printable(m.Key), printable(m.Reason),
				amount.Bytes(int64(len(m.Body))), readable(m.Body))
			return err
		},
	}
}

func (a *app) quarantineRetry() *cobra.Command {
	return &cobra.Command{
		Use:   "retry N|all",
		Short: "Send messages again to the queue they came from",
		Long: `Retry sends a message again to the queue it came from, and takes it out of
quarantine. What still cannot be used comes back, under another number. A
message may arrive twice; that changes nothing.`,
		Args: exactly("number, or all"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var sent []uint64
			unserved := false
			err := a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				unserved = r.Serving
				q := upkeep.Of(r)
				todo, err := a.chosen(ctx, q, args[0])
				for _, m := range todo {
					ok, err := q.RetryQuarantined(ctx, m.Number)
					if err != nil {
						return err
					}
					if ok { // else somebody else did so meanwhile
						sent = append(sent, m.Number)
					}
				}
				return err
			})
			if err != nil && len(sent) == 0 {
				return err
			}
			if a.output == "json" {
				if printErr := a.printJSON(map[string]any{"retried": append([]uint64{}, sent...)}); printErr != nil {
					return printErr
				}
			}
			fmt.Fprintf(a.stderr, "%s sent again\n", amount.Of(len(sent), "message"))
			if unserved && len(sent) > 0 {
				fmt.Fprintf(a.stderr, "nobody serves %s now: the next `%s run` on it reads them\n", a.where(), program())
			}
			return err
		},
	}
}

func (a *app) chosen(ctx context.Context, q upkeep.Upkeep, given string) ([]wire.Quarantined, error) {
	if given == "all" {
		return q.Quarantine(ctx)
	}
	m, err := a.quarantined(ctx, q, given)
	if err != nil {
		return nil, err
	}
	return []wire.Quarantined{m}, nil
}

func (a *app) inQuarantine(ctx context.Context, look func(context.Context, upkeep.Upkeep) error) error {
	return a.attached(ctx, func(ctx context.Context, r *deed.Runtime) error {
		return look(ctx, upkeep.Of(r))
	})
}

// quarantined is the message of a number that a person gave.
func (a *app) quarantined(ctx context.Context, q upkeep.Upkeep, given string) (wire.Quarantined, error) {
	number, err := strconv.ParseUint(given, 10, 64)
	if err != nil {
		return wire.Quarantined{}, usagef("%q is no number of a message; `%s quarantine ls` lists them", given, program())
	}
	m, ok, err := q.Quarantined(ctx, number)
	if err == nil && !ok {
		err = &notFoundError{fmt.Sprintf("no message %d is in quarantine; `%s quarantine ls` lists them", number, program())}
	}
	return m, err
}

type quarantinedJSON struct {
	Number  uint64          `json:"number"`
	Since   time.Time       `json:"since"`
	From    string          `json:"from"`
	Process string          `json:"process"`
	Reason  string          `json:"reason"`
	Size    int             `json:"size"`
	Body    json.RawMessage `json:"body,omitempty"`  // if it is JSON
	Bytes   []byte          `json:"bytes,omitempty"` // if it is not
}

func shownQuarantined(m wire.Quarantined) quarantinedJSON {
	j := quarantinedJSON{Number: m.Number, Since: m.Since, From: m.From, Process: m.Key, Reason: m.Reason, Size: len(m.Body)}
	if json.Valid(m.Body) {
		j.Body = m.Body
	} else {
		j.Bytes = m.Body
	}
	return j
}

// readable is a body as a person can read it, whatever it holds: JSON in
// lines, anything else as its bytes.
func readable(body []byte) string {
	var pretty bytes.Buffer
	if len(body) > 0 && json.Indent(&pretty, body, "", "  ") == nil {
		return printableLines(pretty.String())
	}
	if len(body) == 0 {
		return "(it is empty)"
	}
	return hex.Dump(body)
}
