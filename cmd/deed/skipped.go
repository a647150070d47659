package main

import (
	"fmt"
	"strings"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// mostReasons is how many reasons are told of a step.
const mostReasons = 3

// skippedLines tell what steps went on without, a line a step:
// 2 of 100 tasks of shrink were skipped: a.jpg, b.jpg (not a photo).
func skippedLines(s process.State) []string {
	var lines []string
	for _, p := range s.Steps() {
		if p.Skipped == 0 {
			continue
		}
		var told []string
		for _, same := range byReason(p.Skips) {
			if len(told) == mostReasons {
				told = append(told, "and others")
				break
			}
			text := nameTasks(s, p.Address, same.Tasks)
			if same.Reason != "" {
				text += " (" + shortened(lastWords(same.Reason), 120) + ")"
			}
			told = append(told, text)
		}
		was := "were"
		if p.Skipped == 1 {
			was = "was"
		}
		lines = append(lines, fmt.Sprintf("%d of %s of %s %s skipped: %s", p.Skipped, amount.Of(p.Tasks, "task"), p.Address, was, strings.Join(told, "; ")))
	}
	return lines
}

// lastWords is what a program that failed said last, where a reason quotes that:
// the rest is the same for all. With -o json there is the whole of it.
func lastWords(reason string) string {
	if _, quoted, ok := strings.Cut(reason, "the last lines of its standard "); ok {
		if _, words, ok := strings.Cut(quoted, ": "); ok && strings.TrimSpace(words) != "" {
			return words
		}
	}
	return reason
}

// byReason puts tasks that were skipped for the same reason together.
func byReason(skips []process.Skip) []process.Skip {
	var all []process.Skip
	at := map[string]int{}
	for _, skip := range skips {
		i, known := at[skip.Reason]
		if !known {
			at[skip.Reason] = len(all)
			all = append(all, skip)
			continue
		}
		all[i].Tasks = all[i].Tasks.Union(skip.Tasks)
	}
	return all
}

// nameTasks is "a.jpg, b.jpg", or "[3–5]" where the elements have no names.
func nameTasks(s process.State, address string, tasks task.Ranges) string {
	names := wire.Elements(s, address, tasks)
	if names == nil {
		return "[" + shortened(tasks.String(), 80) + "]"
	}
	text := strings.Join(names, ", ")
	if more := tasks.Len() - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// shortened is a text on one line, cut in the middle: its first words say what
// happened, its last ones often why.
func shortened(text string, most int) string {
	runes := []rune(printable(strings.TrimSpace(text)))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most/3]) + " … " + string(runes[len(runes)-(most-most/3-3):])
}

func (a *app) saySkipped(s process.State) {
	for _, line := range skippedLines(s) {
		fmt.Fprintln(a.stderr, line)
	}
}
