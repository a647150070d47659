//go:build unix

package worker_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestAProgramIsKeptAliveForTheTasksOfItsProcess(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	r := w.run(one, func(o *worker.Options) { o.TempDir = dir })
	pid := w.wrote(job(task.Of(0), keep("", tellsPID), writes("out")))
	require.NotEmpty(t, pid)
	require.Equal(t, pid, w.wrote(job(task.Of(1), keep("", tellsPID), writes("out"))), "the next task")
	require.Equal(t, pid, w.wrote(job(task.Of(0), keep("", tellsPID), writes("out"), func(w *task.Work) { w.Address = "other" })), "of another step with the same program")
	require.Equal(t, pid, w.wrote(job(task.Of(0), keep("", tellsPID), writes("out"), func(w *task.Work) { w.Process, w.Root = "child", "p" })), "of a child of the process")

	for name, change := range map[string]func(*task.Work){
		"of another process":       func(w *task.Work) { w.Process = "q" },
		"with another file":        func(x *task.Work) { x.Files = []task.File{{Name: "f", Ref: *w.blob("", "", "text").Ref}} },
		"with another environment": func(w *task.Work) { w.Env = map[string]task.Variable{"A": {Value: "b"}} },
		"with other limits":        func(w *task.Work) { w.Limits.OpenFiles = 100 },
	} {
		require.NotEqual(t, pid, w.wrote(job(task.Of(0), keep("", tellsPID), writes("out"), change)), name)
	}
	w.cleaned(r, dir)
}

func TestEachSlotHasAProgramAndAProgramOneTaskAtATime(t *testing.T) {
	w := newWorld(t)
	w.run(func(o *worker.Options) { o.Slots = 3 })
	w.send(job(task.Span(0, 12), keep("", `test ! -e "$TMPDIR/busy"; touch "$TMPDIR/busy"; sleep 0.05; rm "$TMPDIR/busy"; `+tellsPID), writes("out")))
	programs := map[string]int{}
	for _, r := range w.results(12) {
		for _, text := range w.texts(r) {
			programs[text]++
		}
	}
	require.LessOrEqual(t, len(programs), 3)
	require.GreaterOrEqual(t, len(programs), 1)
}

func TestAProgramWithNothingToDoIsEnded(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	path, read := pids(t)
	r := w.run(one, func(o *worker.Options) { o.TempDir, o.KeepIdle = dir, 50*time.Millisecond })
	w.wrote(job(task.Of(0), keep(`echo $$ >> `+path, tellsPID), writes("out")))
	dead(t, read(1))
	w.wrote(job(task.Of(1), keep(`echo $$ >> `+path, tellsPID), writes("out")))
	dead(t, read(2))
	w.cleaned(r, dir)
}

func TestAProgramThatIsKeptEndsWithItsWorkerAndWhatItStartedToo(t *testing.T) {
	for how, leave := range map[string]func(*running){
		"drained": func(r *running) { r.Drain() },
		"closed":  func(r *running) { r.Close() },
	} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t)
			dir := t.TempDir()
			path, read := pids(t)
			r := w.run(one, func(o *worker.Options) { o.TempDir, o.ProgramGrace = dir, 200*time.Millisecond })
			w.wrote(job(task.Of(0), keep(`trap '' TERM; (trap '' TERM; sleep 1000) & echo $$ >> `+path+`; echo $! >> `+path, tellsPID+`; sleep 1000`), writes("out")))
			started := read(2)
			leave(r)
			<-r.ended
			dead(t, started)
			w.cleaned(r, dir)
		})
	}
}

func TestAProgramForAnotherProcessTakesThePlaceOfTheOneThatWaitsLongest(t *testing.T) {
	w := newWorld(t)
	path, read := pids(t)
	w.run(func(o *worker.Options) { o.Slots = 2 })
	for i, process := range []string{"p", "q", "r"} {
		w.wrote(job(task.Of(0), keep(`echo $$ >> `+path, tellsPID), writes("out"), func(w *task.Work) { w.Process = process }))
		read(i + 1)
	}
	started := read(3)
	dead(t, started[:1])
	require.True(t, alive(started[1]))
	require.True(t, alive(started[2]))
}

func TestAProgramThatWaitsMakesRoomForWhoNeedsWhatItMayHold(t *testing.T) {
	w := newWorld(t)
	w.handle("h", nothing)
	path, read := pids(t)
	w.run(func(o *worker.Options) { o.Slots, o.Offer = 2, task.Resources{GPU: 2} })
	gpus := func(n int) func(*task.Work) { return func(w *task.Work) { w.Needs.GPU = n } }
	w.wrote(job(task.Of(0), keep(`echo $$ >> `+path, tellsPID), writes("out"), gpus(1)))
	require.Equal(t, task.Done, w.result(job(task.Of(1), gpus(1))).Outcome)
	require.True(t, alive(read(1)[0]), "there is room for both")
	require.Equal(t, task.Done, w.result(job(task.Of(2), gpus(2))).Outcome)
	require.False(t, alive(read(1)[0]), "it was over before the other began")
}

func TestWhatIsPrintedIsInTheLogOfTheTaskThatPrintedIt(t *testing.T) {
	w := newWorld(t)
	w.run(one)
	for i := range 20 {
		w.wrote(job(task.Of(i), keep("", `echo "out of $index"; echo "err of $index" >&2; echo "{\"id\":\"$id\",\"log\":\"log of $index\"}" >&3; `+tellsPID), writes("out")))
	}
	for i := range 20 {
		require.ElementsMatch(t, []string{fmt.Sprintf("out out of %d", i), fmt.Sprintf("err err of %d", i), fmt.Sprintf("log log of %d", i)}, w.printedBy(i))
	}
}

func TestAProgramThatIsKeptFailsTasksAndGoesOn(t *testing.T) {
	w := newWorld(t)
	w.run(one)
	pid := w.wrote(job(task.Of(0), keep("", tellsFailures), writes("out")))
	f := w.failure(job(task.Of(1), keep("", tellsFailures), writes("out")))
	require.Equal(t, task.Failure{Error: "script: no such row", Verdict: task.Retry}, f)
	f = w.failure(job(task.Of(2), keep("", tellsFailures), writes("out")))
	require.Equal(t, task.Failure{Error: "script: bad row", Verdict: task.Permanent}, f)
	f = w.failure(job(task.Of(3), keep("", tellsFailures), writes("out")))
	require.Equal(t, task.Failure{Error: "script: busy", Verdict: task.Retry, After: task.Duration(1500 * time.Millisecond)}, f)
	f = w.failure(job(task.Of(4), keep("", tellsFailures), writes("out")))
	require.Contains(t, f.Error, `the program did not write "out"`)
	require.Equal(t, pid, w.wrote(job(task.Of(0), keep("", tellsFailures), writes("out"))))
}

const tellsFailures = `case $index in
  0) ` + tellsPID + ` ;;
  1) echo "{\"id\":\"$id\",\"failed\":\"no such row\"}" >&3 ;;
  2) echo "{\"id\":\"$id\",\"failed\":\"bad row\",\"permanent\":true}" >&3 ;;
  3) echo "{\"id\":\"$id\",\"failed\":\"busy\",\"retryAfter\":1.5}" >&3 ;;
  4) ` + answersDone + ` ;;
  esac`

func TestAProgramThatIsKeptAndMisbehavesIsReplacedAndItsTaskFails(t *testing.T) {
	for name, test := range map[string]struct{ does, says string }{
		"it ends":                           {`echo the last words >&2; exit 3`, "script: exit code 3; the last lines of its standard error: the last words"},
		"it ends well, without an answer":   {`exit 0`, "script ended with exit code 0 and without an answer: with keep it has to write one to $DEED_EVENTS for every task"},
		"it is killed":                      {`kill -9 $$`, "script: ended by signal: killed"},
		"it says that nothing can help":     {`exit 65`, "script: exit code 65, which means that another attempt is pointless"},
		"it answers nonsense":               {`echo so what >&2; echo nonsense >&3; sleep 1000`, `script was killed: its answer makes no sense: it is no event: "nonsense"`},
		"it answers for another task":       {`echo '{"id":"another","done":true}' >&3; sleep 1000`, `script was killed: its answer makes no sense: it is for "another", and the task has the id "`},
		"it answers without an id":          {`echo '{"done":true}' >&3; sleep 1000`, `it is for "", and the task has the id "`},
		"it answers both":                   {`echo "{\"id\":\"$id\",\"done\":true,\"failed\":\"no\"}" >&3; sleep 1000`, "it says that the task is done, and that it failed"},
		"it answers with an endless line":   {`head -c 100000 /dev/zero | tr '\0' x >&3; echo >&3; sleep 1000`, "a line of 100001 bytes; at most 65536 are read"},
		"it closes the channel of answers":  {`exec 3>&-; sleep 1000`, "script was killed: it closed $DEED_EVENTS, and no answer can come any more"},
		"it hangs":                          {`echo "I hang" >&2; sleep 1000`, "ran longer than its timeout of 1s"},
		"it hangs and does not want to end": {`trap '' TERM; while :; do sleep 0.01; done`, "ran longer than its timeout of 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			dir := t.TempDir()
			r := w.run(one, func(o *worker.Options) { o.TempDir, o.ProgramGrace = dir, 100*time.Millisecond })
			does := `if [ $index = 1 ]; then ` + test.does + `; fi; ` + tellsPID
			pid := w.wrote(job(task.Of(0), keep("", does), writes("out"), timeout(time.Second)))
			f := w.failure(job(task.Of(1), keep("", does), writes("out"), timeout(time.Second)))
			assert.Contains(t, f.Error, test.says)
			require.NotEqual(t, pid, w.wrote(job(task.Of(2), keep("", does), writes("out"), timeout(time.Second))), "another one serves the next task")
			w.cleaned(r, dir)
		})
	}
}

func TestASecondAnswerDoesNotCountForTheNextTask(t *testing.T) {
	w := newWorld(t)
	w.run(one)
	twice := tellsPID + `; ` + answersDone
	w.wrote(job(task.Of(0), keep("", twice), writes("out")))
	f := w.failure(job(task.Of(0), keep("", twice), writes("out"), func(w *task.Work) { w.Attempt = 2 }))
	require.Contains(t, f.Error, "its answer makes no sense: it is for")
}

func TestAProgramThatEndedWhileItHadNothingToDoIsReplacedBeforeItCostsAnAttempt(t *testing.T) {
	w := newWorld(t)
	path, read := pids(t)
	w.run(one)
	once := `echo $$ >> ` + path + `; ` + tellsPID + `; exit 0`
	for i := range 5 {
		pid := w.wrote(job(task.Of(i), keep("", once), writes("out")))
		started := read(i + 1)
		require.Equal(t, pid, fmt.Sprint(started[i]))
		dead(t, started[i:])
	}
}

func TestAProgramThatDoesNotStartFailsItsTaskWithWhatItSaid(t *testing.T) {
	w := newWorld(t)
	w.run(one)
	f := w.failure(job(task.Of(0), keep(`echo "no module named x" >&2; exit 1`, ``), writes("out")))
	require.Equal(t, "script: exit code 1; the last lines of its standard error: no module named x", f.Error)
	f = w.failure(job(task.Of(0), func(w *task.Work) { w.Run = task.Run{Keep: true, Command: []string{"no-such-program"}} }))
	require.Contains(t, f.Error, `run "no-such-program": it is not in the PATH of the worker`)
}

func TestANodeProgramIsKeptAlive(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed here")
	}
	w := newWorld(t)
	w.run(one)
	program := w.blob("", "", `
const fs = require("fs");
const say = (event) => fs.writeSync(Number(process.env.DEED_EVENTS), JSON.stringify(event) + "\n");
let tasks = 0;
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const task = JSON.parse(line);
  say({ id: task.id, progress: 0.5, message: "half" });
  const text = fs.readFileSync(task.inputs.text.path, "utf8");
  fs.writeFileSync(task.outputs.out, text.toUpperCase() + task.params.mark + ++tasks);
  console.log("printed by", task.index);
  say({ id: task.id, done: true });
});`)

	work := func(i int) task.Work {
		return job(task.Of(i), reads(task.Input{Local: "text", Mode: task.Element, Lists: [][]task.Part{{w.blob("", "a", "hello")}}}), writes("out"), func(w *task.Work) {
			w.Run = task.Run{Keep: true, Command: []string{node, "program.js"}}
			w.Files = []task.File{{Name: "program.js", Ref: *program.Ref}}
			w.Params = map[string]json.RawMessage{"mark": []byte(`"!"`)}
		})
	}
	require.Equal(t, "HELLO!1", w.wrote(work(0)))
	require.Equal(t, "HELLO!2", w.wrote(work(1)))
	require.Equal(t, []string{"out printed by 1"}, w.printedBy(1))
}
