package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator/process"
)

// logTeller prints logs, each line once, however often it looks. What it
// remembers is a few words an execution, whatever they printed.
type logTeller struct {
	app     *app
	options logsOptions
	told    map[blob.LogName]*toldLog

	store *blob.Store
	state process.State
	order map[string]int // of the steps
}

// toldLog is how much of a log was printed.
type toldLog struct {
	reader *blob.LogReader
	chunks int // that there were at the last look
	lines  int
	skip   int // lines that an earlier reader has told
}

// at makes it go on with a store, which may be the same one opened anew.
func (t *logTeller) at(store *blob.Store, s process.State) {
	t.store, t.state, t.order = store, s, map[string]int{}
	for i, p := range s.Steps() {
		t.order[p.Address] = i
	}
	for name, l := range t.told {
		t.told[name] = &toldLog{reader: store.OpenLog(name), skip: l.lines, lines: l.lines}
	}
}

// tell prints what was stored since the last call, step by step.
func (t *logTeller) tell(ctx context.Context) error {
	logs, err := t.list(ctx)
	if err != nil {
		return err
	}
	named := len(logs) > 1 || t.options.follow && (t.options.index < 0 || t.options.attempt == 0)
	for _, log := range logs {
		l := t.told[log.LogName]
		if l == nil {
			l = &toldLog{reader: t.store.OpenLog(log.LogName)}
			t.told[log.LogName] = l
		}
		if l.chunks == log.Chunks {
			continue
		}
		for line, err := range l.reader.Lines(ctx) {
			if err != nil {
				return err
			}
			if l.skip > 0 {
				l.skip--
				continue
			}
			l.lines++
			if err := t.print(log.LogName, line, named); err != nil {
				return err
			}
		}
		l.chunks = log.Chunks
	}
	return nil
}

func (t *logTeller) list(ctx context.Context) ([]blob.Log, error) {
	var logs []blob.Log
	var err error
	if o := t.options; o.index >= 0 {
		logs, err = t.store.TaskLogs(ctx, t.state.ID, o.address, o.index)
	} else {
		logs, err = t.store.Logs(ctx, t.state.ID, o.address)
	}
	if err != nil {
		return nil, err
	}
	if t.options.attempt > 0 {
		logs = slices.DeleteFunc(logs, func(l blob.Log) bool { return l.Attempt.Attempt != t.options.attempt })
	}
	slices.SortStableFunc(logs, func(a, b blob.Log) int { return cmp.Compare(t.order[a.Address], t.order[b.Address]) })
	return logs, nil
}

// logLineJSON is a line of `logs -o json`.
type logLineJSON struct {
	Address    string         `json:"address"`
	Generation int            `json:"generation,omitempty"`
	Index      int            `json:"index"`
	Attempt    int            `json:"attempt"`
	Time       time.Time      `json:"time"`
	Stream     blob.LogStream `json:"stream"`
	Text       string         `json:"text"`
}

func (t *logTeller) print(of blob.LogName, line blob.LogLine, named bool) error {
	if t.options.errors && line.Stream != blob.LogErr && line.Stream != blob.LogGap {
		return nil
	}
	if t.app.output == "json" {
		return json.NewEncoder(t.app.stdout).Encode(logLineJSON{
			of.Address, of.Generation, of.Index, of.Attempt.Attempt, line.Time, line.Stream, line.Text,
		})
	}
	text := printableLines(line.Text)
	if line.Stream == blob.LogGap {
		text = "[" + text + "]"
	}
	if named {
		text = executionName(of) + " " + text
	}
	_, err := fmt.Fprintln(t.app.stdout, text)
	return err
}

// executionName is count[3]#2, or count~1[3]#2 of a later generation.
func executionName(of blob.LogName) string {
	if of.Generation > 0 {
		return fmt.Sprintf("%s~%d[%d]#%d", of.Address, of.Generation, of.Index, of.Attempt.Attempt)
	}
	return fmt.Sprintf("%s[%d]#%d", of.Address, of.Index, of.Attempt.Attempt)
}
