package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Comparison is what one result is of another: ratios of the second to the first.
type Comparison struct {
	Scenario string   `json:"scenario"`
	Warnings []string `json:"warnings,omitempty"` // why the two may not be comparable
	Changes  []Change `json:"changes"`
}

// Change is of one figure of one subject.
type Change struct {
	Subject string  `json:"subject"`
	Figure  string  `json:"figure"`
	Before  float64 `json:"before"`
	After   float64 `json:"after"`
	Ratio   float64 `json:"ratio"` // of after to before
}

// figures are those that are compared, by their names in JSON.
var figures = []struct {
	name string
	unit string
	of   func(Measure) float64
}{
	{"tasks_per_s", "", func(m Measure) float64 { return m.TasksPS }},
	{"ratio_to_raw", "ratio", func(m Measure) float64 { return m.Ratio }},
	{"cpu_us_per_task", "_us", func(m Measure) float64 { return m.CPUTask }},
	{"p50_us", "_us", func(m Measure) float64 { return m.P50 }},
	{"p50_ratio_to_raw", "ratio", func(m Measure) float64 { return m.P50Ratio }},
	{"p99_us", "_us", func(m Measure) float64 { return m.P99 }},
	{"peak_memory_bytes", "_bytes", func(m Measure) float64 { return float64(m.Memory) }},
	{"disk_bytes_per_task", "_bytes", func(m Measure) float64 { return m.DiskTask }},
}

// Compare tells what after is of before. Results of two scenarios are an error.
func Compare(before, after *Result) (*Comparison, error) {
	if before.Scenario != after.Scenario {
		return nil, fmt.Errorf("compare benchmarks: one is of %s, the other of %s: give two of the same", before.Scenario, after.Scenario)
	}
	c := &Comparison{Scenario: before.Scenario, Changes: []Change{}}
	warn := func(what string, a, b any) {
		if a != b {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s: %v before, %v after", what, a, b))
		}
	}
	warn("n", before.N, after.N)
	warn("machine", before.Machine, after.Machine)
	warn("parameters", compact(before.Params), compact(after.Params))
	for _, subject := range before.Subjects {
		a, b := before.Measures[subject], after.Measures[subject]
		if !slices.Contains(after.Subjects, subject) {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s: not measured after", subject))
			continue
		}
		for _, f := range figures {
			c.add(subject, f.name, f.of(a), f.of(b))
		}
		also := map[string]float64{}
		maps.Copy(also, a.Also)
		maps.Copy(also, b.Also)
		for _, name := range slices.Sorted(maps.Keys(also)) {
			c.add(subject, name, a.Also[name], b.Also[name])
		}
	}
	return c, nil
}

// add leaves out what was measured in neither.
func (c *Comparison) add(subject, figure string, before, after float64) {
	if before != 0 || after != 0 {
		c.Changes = append(c.Changes, Change{subject, figure, before, after, ratio(after, before)})
	}
}

func compact(params json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, params) != nil {
		return string(params)
	}
	return b.String()
}

// Table is the changes in rows, the first of which is the heading.
func (c *Comparison) Table() [][]string {
	rows := [][]string{{"", "FIGURE", "BEFORE", "AFTER", "AFTER/BEFORE"}}
	for _, change := range c.Changes {
		rows = append(rows, []string{change.Subject, change.Figure, figure(change.Figure, change.Before), figure(change.Figure, change.After), orDash(times(change.Ratio))})
	}
	return rows
}

// figure is one for people, by its name in JSON.
func figure(name string, v float64) string {
	for _, f := range figures {
		switch {
		case f.name != name:
		case f.unit == "ratio":
			return orDash(times(v))
		default:
			return orDash(inUnit(f.unit, v))
		}
	}
	_, unit := splitUnit(name)
	return orDash(inUnit(unit, v))
}

func orDash(cell string) string {
	if cell == "" {
		return "-"
	}
	return cell
}
