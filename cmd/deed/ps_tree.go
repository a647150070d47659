package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// printTree prints processes below those that they are children of.
func (a *app) printTree(all []orchestrator.Summary, most int) error {
	there := map[string]bool{}
	for _, p := range all {
		there[p.ID] = true
	}
	var tops []orchestrator.Summary
	below := map[string][]orchestrator.Summary{}
	for _, p := range all {
		if there[p.Parent] {
			below[p.Parent] = append(below[p.Parent], p)
		} else {
			tops = append(tops, p)
		}
	}
	rows := [][]string{psRow("ID", []string{"NAME OR TASK"}, true, "CHILDREN", psHeading)}
	var visit func(p orchestrator.Summary, depth int)
	visit = func(p orchestrator.Summary, depth int) {
		name := p.Task
		if depth == 0 && p.Parent == "" {
			name = p.Name
		}
		indent := strings.Repeat("  ", depth)
		rows = append(rows, psRow(indent+p.ID, []string{name}, true, childrenOf(p), psCells(p)))
		children := below[p.ID]
		slices.SortFunc(children, urgent)
		shown := len(children)
		if most > 0 {
			shown = min(shown, most)
		}
		for _, child := range children[:shown] {
			visit(child, depth+1)
		}
		if rest := children[shown:]; len(rest) > 0 {
			rows = append(rows, []string{fmt.Sprintf("%s  … %d more: %s", indent, len(rest), standings(rest))})
		}
	}
	for _, p := range tops {
		visit(p, 0)
	}
	return a.table(rows)
}

// standings is "9970 completed, 10 running".
func standings(all []orchestrator.Summary) string {
	count := map[process.Status]int{}
	for _, p := range all {
		count[p.Status]++
	}
	var text []string
	for _, status := range []process.Status{process.Failed, process.Paused, process.Running, process.Cancelled, process.Completed} {
		if count[status] > 0 {
			text = append(text, fmt.Sprintf("%d %s", count[status], status))
		}
	}
	return strings.Join(text, ", ")
}
