package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Plan is a scenario to be measured.
type Plan struct {
	Scenario Scenario
	N        int
	Params   any      // of the subjects
	Rounds   int      // at least 1
	Dir      string   // where the folders lie meanwhile; "": where the system has such things
	Command  []string // makes a process that calls Child
	Profiles string   // folder for a CPU profile of each child; "": none are made

	// Progress, if not nil, hears of each subject that is done.
	Progress func(round int, subject string, m Measure)
}

// folderPrefix begins the names of the folders that are measured in.
const folderPrefix = "deed-bench-"

// endWithin is how long a child that is told to end may take to tidy up.
const endWithin = 10 * time.Second

// Run measures. When ctx ends, so do the children, and their folders go.
func (p *Plan) Run(ctx context.Context) (*Result, error) {
	if p.N < 1 || p.Rounds < 1 {
		return nil, fmt.Errorf("bench %s: %d of them in %d rounds: both are at least 1", p.Scenario.Name, p.N, p.Rounds)
	}
	params, err := json.Marshal(p.Params)
	if err != nil {
		return nil, fmt.Errorf("bench %s: %w", p.Scenario.Name, err)
	}
	if p.Profiles != "" {
		if err := os.MkdirAll(p.Profiles, 0o700); err != nil {
			return nil, fmt.Errorf("bench %s: %w: choose another folder for profiles", p.Scenario.Name, err)
		}
	}
	r := &Result{
		Scenario: p.Scenario.Name, N: p.N,
		Machine: thisMachine(), Settings: p.Scenario.Settings, Params: params,
	}
	for _, s := range p.Scenario.Subjects {
		r.Subjects = append(r.Subjects, s.Name)
	}
	for i := range p.Rounds {
		round := map[string]Measure{}
		for _, subject := range r.Subjects {
			o := order{Scenario: r.Scenario, Subject: subject, Params: params}
			if p.Profiles != "" {
				o.Profile = filepath.Join(p.Profiles, fmt.Sprintf("%s-%s-%d.pprof", r.Scenario, subject, i+1))
			}
			m, err := p.measure(ctx, o)
			if err != nil {
				return nil, fmt.Errorf("bench %s: %s, round %d: %w", r.Scenario, subject, i+1, err)
			}
			if p.Progress != nil {
				p.Progress(i+1, subject, m)
			}
			round[subject] = m
		}
		r.add(round)
	}
	return r, nil
}

// measure has a child do the work in a folder of its own.
func (p *Plan) measure(ctx context.Context, o order) (m Measure, err error) {
	if p.Dir != "" {
		if err := os.MkdirAll(p.Dir, 0o700); err != nil {
			return m, fmt.Errorf("%w: choose another folder with --data", err)
		}
	}
	if o.Dir, err = os.MkdirTemp(p.Dir, folderPrefix); err != nil {
		return m, fmt.Errorf("%w: choose another folder with --data", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return m, err
	}
	if m, err = p.child(ctx, o); err != nil {
		return m, err
	}
	m.Disk, err = size(o.Dir)
	m.DiskTask = ratio(float64(m.Disk), float64(m.Tasks))
	return m, err
}

// child runs one to its end. Its standard input stays open meanwhile: by that it
// knows that somebody waits for it.
func (p *Plan) child(ctx context.Context, o order) (m Measure, err error) {
	cmd := exec.CommandContext(ctx, p.Command[0], p.Command[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = endWithin
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return m, err
	}
	if err := cmd.Start(); err != nil {
		return m, err
	}
	told := json.NewEncoder(stdin).Encode(o)
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return m, context.Cause(ctx)
	case err != nil && stderr.Len() > 0:
		return m, errors.New(strings.TrimPrefix(strings.TrimSpace(stderr.String()), "deed: "))
	case err != nil:
		return m, err
	case told != nil:
		return m, told
	}
	if err := json.Unmarshal(stdout.Bytes(), &m); err != nil {
		return m, fmt.Errorf("what the child measured cannot be read: %w", err)
	}
	return m, nil
}

// size is what all files below a folder hold.
func size(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}
