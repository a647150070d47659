package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
)

// order is what a child process is told on its standard input.
type order struct {
	Scenario string          `json:"scenario"`
	Subject  string          `json:"subject"`
	Dir      string          `json:"dir"`
	Params   json.RawMessage `json:"params"`
	Profile  string          `json:"profile,omitempty"` // file for a CPU profile of all the child does
}

// errLeft ends the work of a child whose parent has gone.
var errLeft = errors.New("who started this measurement has ended")

// Child does what one order on stdin says and writes the Measure to stdout. It
// ends when stdin does, so that none is left of a parent that was killed.
func Child(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	var o order
	in := json.NewDecoder(stdin)
	if err := in.Decode(&o); err != nil {
		return fmt.Errorf("this command is for `deed bench` alone, which says on its standard input what to do: %w", err)
	}
	subject, err := find(o.Scenario, o.Subject)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // its end is the news, however it came
		cancel(errLeft)
	}()
	m, err := o.do(ctx, subject)
	if err != nil {
		switch cause := context.Cause(ctx); {
		case errors.Is(cause, errLeft):
			return errors.Join(cause, removeFolder(o.Dir))
		case cause != nil:
			return cause
		}
		return err
	}
	if m.Memory == 0 { // of processes that this one made
		if m.Memory == 0 { // else it is that of a child of its own
			m.Memory = peakMemory()
		}
	}
	return json.NewEncoder(stdout).Encode(m)
}

// do is the work, in a profile if one is wanted.
func (o order) do(ctx context.Context, subject Subject) (m Measure, err error) {
	if o.Profile == "" {
		return subject.run(ctx, o.Dir, o.Params)
	}
	file, err := os.Create(o.Profile)
	if err != nil {
		return m, fmt.Errorf("write a profile: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return m, fmt.Errorf("write a profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return subject.run(ctx, o.Dir, o.Params)
}

// removeFolder tidies up for a parent that cannot do it any more. It takes nothing
// that no parent made.
func removeFolder(dir string) error {
	if !strings.HasPrefix(filepath.Base(dir), folderPrefix) {
		return nil
	}
	return os.RemoveAll(dir)
}
