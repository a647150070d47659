package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/bench/wordcount"
)

// WordCountParams say what words are counted.
type WordCountParams struct {
	Texts   string `json:"texts"`   // a folder; all subjects read these files
	Result  string `json:"result"`  // a file, in which the first leaves what it wrote, so that the others can compare
	Workers int    `json:"workers"` // and goroutines of the plain program; 0: one a core
}

func (p WordCountParams) workers() int {
	if p.Workers > 0 {
		return p.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// WordCount is a map and a reduce over texts, see package wordcount: as a plain
// program, and as a process of deed, whose texts are imported before the clock runs.
func WordCount() Scenario {
	return Scenario{
		Name:     "wordcount",
		Subjects: []Subject{by("plain", plainWords), by("deed", deedWords)},
		Settings: map[string]string{"sync": "events always, queues and files not"},
	}
}

func plainWords(ctx context.Context, dir string, p WordCountParams) (Measure, error) {
	clock := startClock()
	result, err := wordcount.Plain(ctx, p.Texts, dir, p.workers())
	m := clock.stop(0)
	if err != nil {
		return m, err
	}
	return m, p.agree(result)
}

func deedWords(ctx context.Context, dir string, p WordCountParams) (m Measure, err error) {
	const id = "words"
	began := time.Now()
	r, err := deed.Open(ctx, deed.Options{
		Dir: dir, Handlers: wordcount.Handlers(), Workers: p.workers(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return m, err
	}
	defer r.Close()
	opened := time.Now()
	start, err := r.Prepare(ctx, id, wordcount.Job(p.Texts), nil)
	if err != nil {
		return m, err
	}
	imported := time.Now()
	clock := startClock()
	if _, err := r.Start(ctx, start); err != nil {
		return m, err
	}
	ended, err := r.Wait(ctx, id, nil)
	if err != nil {
		return m, err
	}
	m = clock.stop(0)
	m.Also = map[string]float64{"open_seconds": opened.Sub(began).Seconds(), "import_seconds": imported.Sub(opened).Seconds()}
	result, err := wordcount.ResultOf(ctx, ended)
	if err != nil {
		return m, err
	}
	return m, p.agree(result)
}

// agree holds a result against what the first subject wrote, which it is if there
// is none yet.
func (p WordCountParams) agree(result wordcount.Result) error {
	text, err := os.ReadFile(p.Result)
	if errors.Is(err, fs.ErrNotExist) {
		if text, err = json.Marshal(result); err == nil {
			err = os.WriteFile(p.Result, text, 0o600)
		}
		return err
	}
	if err != nil {
		return err
	}
	var first wordcount.Result
	if err := json.Unmarshal(text, &first); err != nil {
		return fmt.Errorf("read %q: %w", p.Result, err)
	}
	if result != first {
		return fmt.Errorf("two counts of the same texts differ: one wrote %+v, the other %+v", first, result)
	}
	return nil
}
