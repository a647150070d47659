package orchestrator

import (
	"context"
	"slices"
	"strings"

	"github.com/deedrun/deed/events"
)

// Unfinished lists the IDs of the processes that have not ended. It reads one
// commit a process, unless that is one that may follow an end.
func Unfinished(ctx context.Context, store *events.Store) ([]string, error) {
	return unfinished(ctx, store, func(string) bool { return true })
}

// unfinished is Unfinished of those processes that are among.
func unfinished(ctx context.Context, store *events.Store, among func(id string) bool) ([]string, error) {
	var ids []string
	for last, err := range store.Ends(ctx, streamPrefix) {
		if err != nil {
			return nil, err
		}
		id := strings.TrimPrefix(last.Stream, streamPrefix)
		if !among(id) {
			continue
		}
		if len(last.Events) == 0 { // damaged: loading it says so
			ids = append(ids, id)
			continue
		}
		event := last.Events[len(last.Events)-1]
		if endsProcess(event) {
			continue
		}
		if event.Type == revised {
			if s, err := Load(ctx, store, id); err == nil && s.Ended() {
				continue
			}
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// revised is the type of the one event that may follow the end of a process
// without making it go again.
const revised = "process-revised"

func endsProcess(r events.Record) bool {
	if closesStream(r) {
		return true
	}
	last, err := decode(r)
	if err != nil {
		return false // loading it says what is wrong
	}
	status, _ := statusBy("", last)
	return isEnd(status)
}
