package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"
)

// logging is how a command speaks of what happens inside.
type logging struct {
	format, level string
	debug         bool // the same as the level debug

	handler slog.Handler // once the flags are known
	lines   *lineRecords // that standard error became; nil: it is as it was
}

func (l *logging) flags(flags *pflag.FlagSet) {
	flags.StringVar(&l.format, "log-format", "text", "form of standard error: text, or json, an object a line")
	flags.StringVar(&l.level, "log-level", "warn", "from which `LEVEL` on it is logged what happens inside: debug, info, warn or error")
	flags.BoolVar(&l.debug, "debug", false, "the same as --log-level debug")
}

// logged are the flags that say so.
func logged(flag string) bool { return flag == "debug" || flag == "log-format" || flag == "log-level" }

// begin makes the log. In json all that goes to standard error is a record:
// what is said to people there is one that has a msg alone.
func (a *app) beginLog() error {
	l := &a.logging
	if err := oneOf(a.spelt("log-format"), l.format, []string{"text", "json"}); err != nil {
		return err
	}
	if err := oneOf(a.spelt("log-level"), l.level, []string{"debug", "info", "warn", "error"}); err != nil {
		return err
	}
	options := &slog.HandlerOptions{Level: l.threshold()}
	if l.format == "text" {
		l.handler = slog.NewTextHandler(a.stderr, options)
		return nil
	}
	options.ReplaceAttr = func(_ []string, attr slog.Attr) slog.Attr {
		if attr.Value.Kind() == slog.KindDuration { // or it would be a number of nanoseconds
			attr.Value = slog.StringValue(attr.Value.Duration().String())
		}
		return attr
	}
	l.handler = slog.NewJSONHandler(a.stderr, options)
	l.lines = &lineRecords{to: l.handler, as: a.stderr}
	a.stderr = l.lines
	return nil
}

func (l *logging) threshold() slog.Level {
	var level slog.Level
	if l.debug || level.UnmarshalText([]byte(l.level)) != nil {
		return slog.LevelDebug
	}
	return level
}

// log is where what happens inside is told. A command that ends before its
// flags are known tells nothing.
func (a *app) log() *slog.Logger {
	if a.logging.handler == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(a.logging.handler)
}

// complain says why a command ends as it does.
func (a *app) complain(why string) {
	if a.logging.lines == nil {
		_, _ = io.WriteString(a.stderr, "deed: "+why+"\n")
		return
	}
	a.logging.lines.flush()
	a.logging.lines.say(slog.LevelError, why)
}

// passOn makes a worker that this command starts log as it does itself.
func (l *logging) passOn(environment []string) []string {
	level := strings.ToLower(l.threshold().String())
	return append(environment, variableOf("log-format")+"="+l.format, variableOf("log-level")+"="+level)
}

// lineRecords makes a record of each line that is written to it, whatever the
// level: people were to read it. A record of a worker that this command started
// stays one; it names the worker.
type lineRecords struct {
	to slog.Handler
	as io.Writer // what that writes to, a record at a time

	mu   sync.Mutex
	rest []byte // of a line that has not ended
}

func (l *lineRecords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, after, ended := bytes.Cut(l.rest, []byte("\n"))
		if !ended {
			return len(p), nil
		}
		if record, is := recordIn(line); is {
			_, _ = l.as.Write(append(record, '\n'))
		} else {
			l.say(slog.LevelInfo, string(line))
		}
		l.rest = after
	}
}

// flush says the line that has not ended.
func (l *lineRecords) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.say(slog.LevelInfo, string(l.rest))
	l.rest = nil
}

func (l *lineRecords) say(level slog.Level, text string) {
	if text = strings.TrimSpace(text); text != "" {
		_ = l.to.Handle(context.Background(), slog.NewRecord(time.Now(), level, text, 0)) // standard error is gone: nobody is left to be told
	}
}

// recordIn is the record that a worker of autoscale wrote, without the number of
// its process, which is put before its lines.
func recordIn(line []byte) (record []byte, is bool) {
	_, record, numbered := bytes.Cut(line, []byte("] "))
	return bytes.Clone(record), numbered && line[0] == '[' && bytes.HasPrefix(record, []byte("{")) && json.Valid(record)
}
