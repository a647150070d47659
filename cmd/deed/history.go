package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

func (a *app) history() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "history ID",
		Short:   "Tell what happened to a process, event by event",
		Long:    "History prints the event stream of a process as sentences, or with -o json the events as they are stored, one a line.\n\nID may be a prefix that only one process has, or @latest.",
		Example: "  deed history @latest\n  deed history word-count-x7 -o json | jq .type",
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			tell := a.sentence
			if a.output == "json" {
				tell = a.rawEvent
			}
			told := uint64(0)
			return a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				id, err := a.resolveID(ctx, r, args[0])
				if err != nil {
					return err
				}
				for e, err := range orchestrator.History(ctx, r.Archive, id) {
					if err != nil {
						return err
					}
					if e.Version <= told {
						continue
					}
					if err := tell(e); err != nil {
						return err
					}
					told = e.Version
				}
				return nil
			})
		},
	}
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

func (a *app) sentence(e events.Event) error {
	event, err := process.Decode(process.Stored(e.Record))
	if err != nil { // shown in its place: what comes after may still be of use
		_, err = fmt.Fprintf(a.stdout, "%5d  %-12s  %s\n", e.Version, "", printable(err.Error()))
		return err
	}
	at := ""
	if t, ok := eventTime(event); ok {
		at = t.Local().Format("15:04:05.000")
	}
	_, err = fmt.Fprintf(a.stdout, "%5d  %s  %s\n", e.Version, at, printable(event.String()))
	return err
}

// eventTime is when an event happened.
func eventTime(e process.Event) (at time.Time, ok bool) {
	if e == nil {
		return at, false
	}
	at, ok = reflect.ValueOf(e).FieldByName("At").Interface().(time.Time)
	return at, ok
}

func (a *app) rawEvent(e events.Event) error {
	line, err := json.Marshal(struct {
		Version uint64          `json:"version"`
		ID      string          `json:"id"`
		Type    string          `json:"type"`
		Schema  int             `json:"schema"`
		Data    json.RawMessage `json:"data"`
	}{e.Version, e.ID, e.Type, e.Schema, e.Data})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s\n", line)
	return err
}
