package worker_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func shell(script string) func(*task.Work) {
	return func(w *task.Work) { w.Run = task.Run{Shell: script} }
}

func command(args ...string) func(*task.Work) {
	return func(w *task.Work) { w.Run = task.Run{Command: args} }
}

// texts are the parts of a result: key/name and content.
func (w *world) texts(r task.Result) []string {
	w.t.Helper()
	require.Equal(w.t, task.Done, r.Outcome, "%+v\n%s", r.Failure, w.log)
	var texts []string
	for _, p := range r.Parts {
		texts = append(texts, fmt.Sprintf("%s/%s: %s", p.Key, p.Name, strings.TrimSpace(w.read(p.Part))))
	}
	return texts
}

// cleaned asserts that nothing is left of the programs once the worker has gone.
func (w *world) cleaned(r *running, dir string) {
	w.t.Helper()
	r.Drain()
	<-r.ended
	left, err := os.ReadDir(dir)
	require.NoError(w.t, err)
	require.Empty(w.t, left)
}

// keep makes a script one that is kept alive. In it, $TMPDIR/line is the task, $id
// what the answer repeats, $out where the outputs go and $index the number of the task.
func keep(begin, each string) func(*task.Work) {
	return func(w *task.Work) {
		w.Run = task.Run{Keep: true, Shell: begin + `
field() { { head -c 400 "$TMPDIR/line"; tail -c 400 "$TMPDIR/line"; } | tr -d '\n' | LC_ALL=C sed "s/.*\"$1\":\"*\([^\",]*\).*/\1/"; }
while head -n 1 > "$TMPDIR/line" && test -s "$TMPDIR/line"; do
  id=$(field id); out=$(field out); index=$(field index)
  ` + each + `
done`}
	}
}

const (
	answersDone = `echo "{\"id\":\"$id\",\"done\":true}" >&3`
	tellsPID    = `echo $$ > "$out/out"; ` + answersDone
)

// wrote is what one task wrote.
func (w *world) wrote(work task.Work) string {
	w.t.Helper()
	r := w.result(work)
	require.Equal(w.t, task.Done, r.Outcome, "%+v\n%s", r.Failure, w.log)
	require.Len(w.t, r.Parts, 1)
	return strings.TrimSpace(w.read(r.Parts[0].Part))
}

func limited(l task.Limits) func(*task.Work) { return func(w *task.Work) { w.Limits = l } }

// printedBy is the log of a task without times.
func (w *world) printedBy(index int) []string {
	w.t.Helper()
	logs, err := w.blobs.Logs(w.ctx, "p", "step")
	require.NoError(w.t, err)
	var lines []string
	for _, l := range logs {
		if l.Index != index {
			continue
		}
		for line, err := range w.blobs.OpenLog(l.LogName).Lines(w.ctx) {
			require.NoError(w.t, err)
			lines = append(lines, fmt.Sprintf("%s %s", line.Stream, line.Text))
		}
	}
	return lines
}
