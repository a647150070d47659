package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Result is a scenario measured. As JSON it is one object that has each subject's
// Measure, of medians, under its own name.
type Result struct {
	Scenario string            `json:"scenario"`
	N        int               `json:"n"`
	Rounds   int               `json:"rounds"`
	Machine  Machine           `json:"machine"`
	Settings map[string]string `json:"settings"`
	Params   json.RawMessage   `json:"params"`   // what else was asked for
	Subjects []string          `json:"subjects"` // the first is what the ratios are to

	Measures map[string]Measure   `json:"-"` // of each subject, in medians
	All      []map[string]Measure `json:"all_rounds"`
}

// Machine is where it was measured.
type Machine struct {
	CPUs    int    `json:"cpus"`
	Threads int    `json:"gomaxprocs"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	Model   string `json:"model,omitempty"` // of the processor
	Go      string `json:"go"`
}

func thisMachine() Machine {
	return Machine{runtime.NumCPU(), runtime.GOMAXPROCS(0), runtime.GOOS, runtime.GOARCH, processorModel(), runtime.Version()}
}

// processorModel is what Linux says of the first processor; "" elsewhere.
func processorModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// add is one more round.
func (r *Result) add(round map[string]Measure) {
	base := round[r.Subjects[0]]
	for _, name := range r.Subjects[1:] {
		m := round[name]
		m.compare(base)
		round[name] = m
	}
	r.All = append(r.All, round)
	r.Rounds = len(r.All)
	r.Measures = make(map[string]Measure, len(r.Subjects))
	for i, name := range r.Subjects {
		rounds := make([]Measure, len(r.All))
		for j, round := range r.All {
			rounds[j] = round[name]
		}
		m := median(rounds)
		if i > 0 {
			m.compare(r.Measures[r.Subjects[0]])
		}
		r.Measures[name] = m
	}
}

// result is a Result without the methods of one.
type result Result

// MarshalJSON puts the measures beside the rest, in the order of the subjects.
func (r Result) MarshalJSON() ([]byte, error) {
	all := r.All
	r.All = nil
	head, err := json.Marshal(struct {
		result
		All bool `json:"all_rounds,omitempty"` // comes last
	}{result: result(r)})
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(head[:len(head)-1])
	member := func(name string, value any) error {
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		text, err := json.Marshal(value)
		fmt.Fprintf(b, ",%s:%s", key, text)
		return err
	}
	for _, name := range r.Subjects {
		if err := member(name, r.Measures[name]); err != nil {
			return nil, err
		}
	}
	if err := member("all_rounds", all); err != nil {
		return nil, err
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Result) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, (*result)(r)); err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	if r.Scenario == "" || len(r.Subjects) == 0 {
		return errors.New("it names no scenario and nothing that was measured")
	}
	r.Measures = make(map[string]Measure, len(r.Subjects))
	for _, name := range r.Subjects {
		text, ok := members[name]
		if !ok {
			return fmt.Errorf("of %q there is no measure", name)
		}
		var m Measure
		if err := json.Unmarshal(text, &m); err != nil {
			return fmt.Errorf("the measure of %q: %w", name, err)
		}
		r.Measures[name] = m
	}
	return nil
}
