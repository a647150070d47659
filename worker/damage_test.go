package worker_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// harms are what may become of a stored file, and what is said of it.
var harms = map[string]struct {
	do   func(path string) error
	says string
}{
	"altered": {func(path string) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text[len(text)/2] ^= 1
		return os.WriteFile(path, text, 0o600)
	}, "is corrupt: want SHA-256"},
	"cut short": {func(path string) error { return os.Truncate(path, 7) }, "is corrupt: want "},
	"longer": {func(path string) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, append(text, "more\n"...), 0o600)
	}, "is corrupt: want "},
	"gone": {os.Remove, "blob not found"},
}

// onFiles is a world whose blobs are files, and where a blob lies.
func onFiles(t *testing.T) (w *world, path func(task.Ref) string) {
	t.Helper()
	w = newWorld(t)
	dir := t.TempDir()
	blobs, err := blob.Open(t.Context(), "file://"+dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = blobs.Close() })
	w.blobs = blobs
	return w, func(ref task.Ref) string { return filepath.Join(dir, filepath.FromSlash(ref.Key)) }
}

// countLines counts lines the way many a program does: what goes wrong is the end.
func countLines(_ context.Context, t *worker.Task) error {
	lines := 0
	for p, err := range t.Parts("text") {
		if err != nil {
			break
		}
		r, err := p.Open()
		if err != nil {
			continue
		}
		for scanner := bufio.NewScanner(r); scanner.Scan(); {
			lines++
		}
		_ = r.Close()
	}
	return t.Emit("lines", lines)
}

func TestATaskWhoseInputIsDamagedFailsWhateverItsHandlerMakesOfThat(t *testing.T) {
	text := strings.Repeat("a line\n", 1000)
	for name, harm := range harms {
		t.Run(name, func(t *testing.T) {
			for kind, run := range map[string]task.Run{
				"a handler that takes errors for the end": {Handler: "count"},
				"a program": {Shell: `wc -l < "$DEED_IN/text" > "$DEED_OUT/lines"`},
			} {
				w, path := onFiles(t)
				w.handle("count", countLines)
				w.run()
				whole, hurt := w.blob("", "", text), w.blob("", "", text)
				work := func(p task.Part) task.Work {
					return job(task.Of(0), reads(elements("text", p)), writes("lines"), func(w *task.Work) { w.Run = run })
				}
				require.Equal(t, task.Done, w.result(work(whole)).Outcome, kind)
				require.NoError(t, harm.do(path(*hurt.Ref)))
				r := w.result(work(hurt))
				require.Equal(t, task.Failed, r.Outcome, kind)
				require.Contains(t, r.Failure.Error, fmt.Sprintf("blob %q", hurt.Ref.Key), kind)
				require.Contains(t, r.Failure.Error, harm.says, kind)
				require.Empty(t, r.Parts, kind)
			}
		})
	}
}

func TestATaskWhoseListIsDamagedFailsWhateverItsHandlerMakesOfThat(t *testing.T) {
	for name, harm := range harms {
		t.Run(name, func(t *testing.T) {
			w, path := onFiles(t)
			w.handle("count", countLines)
			w.run()
			var produced []task.Produced
			for i := range 1000 {
				produced = append(produced, task.Produced{Index: i, Data: "d", Part: value(fmt.Sprint(i))})
			}
			list, err := w.blobs.Seal(t.Context(), "p/list", task.Seal{Data: "d", Sources: []task.Source{{Parts: produced}}})
			require.NoError(t, err)
			require.NoError(t, harm.do(path(list.Manifest.Ref)))
			r := w.result(job(task.Of(0), reads(task.Input{Local: "text", Mode: task.Whole, Manifest: list.Manifest}), writes("lines"),
				func(w *task.Work) { w.Run = task.Run{Handler: "count"} }))
			require.Equal(t, task.Failed, r.Outcome)
			require.Contains(t, r.Failure.Error, `"p/list"`)
			require.Contains(t, r.Failure.Error, map[bool]string{true: "blob not found", false: "is corrupt"}[name == "gone"])
			require.Empty(t, r.Parts)
		})
	}
}

func TestAHandlerThatReadsOnAfterItHasClosedAnInputIsNotSaidToHaveReadDamage(t *testing.T) {
	w, _ := onFiles(t)
	w.handle("h", func(_ context.Context, t *worker.Task) error {
		r, err := t.Open("text")
		if err != nil {
			return err
		}
		if err := r.Close(); err != nil {
			return err
		}
		if _, err := r.Read(make([]byte, 1)); err == nil {
			return errors.New("it is still open")
		}
		return nil
	})
	w.run()
	require.Equal(t, task.Done, w.result(job(task.Of(0), reads(elements("text", w.blob("", "", "hello"))))).Outcome)
}
