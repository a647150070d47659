package worker_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestAProgramSaysHowFarItIsAndWorkersPassItOn(t *testing.T) {
	w := newWorld(t)
	beats, err := w.signals.Subscribe("heartbeat")
	require.NoError(t, err)
	t.Cleanup(beats.Stop)
	w.run(one)
	gate := filepath.Join(t.TempDir(), "gate")
	w.send(job(task.Of(7), shell(`printf '{"progress": 0.4, "message": "page\\n3"}\n{"progress": 0.5}\n' >&"$DEED_EVENTS"; touch `+gate+`; while [ -e `+gate+` ]; do sleep 0.01; done`)))
	require.Eventually(t, func() bool { _, err := os.Stat(gate); return err == nil }, 20*time.Second, time.Millisecond)
	var running []task.Running
	require.Eventually(t, func() bool {
		require.NoError(t, w.signals.Publish(w.ctx, "rollcall", nil))
		var beat task.Heartbeat
		require.NoError(t, json.Unmarshal(<-beats.C(), &beat))
		running = nil
		for _, h := range beat.Holding {
			running = append(running, h.Running...)
		}
		return len(running) == 1 && running[0].Progress == 0.5
	}, 20*time.Second, 10*time.Millisecond)
	assert.Equal(t, 7, running[0].Index)
	assert.Equal(t, "page 3", running[0].Message, "on one line, and what is not said again stays")
	require.NoError(t, os.Remove(gate))
	require.Equal(t, task.Done, w.results(1)[0].Outcome)
}

func TestAHandlerSaysHowFarItIs(t *testing.T) {
	w := newWorld(t)
	beats, err := w.signals.Subscribe("heartbeat")
	require.NoError(t, err)
	t.Cleanup(beats.Stop)
	said, free := make(chan struct{}), make(chan struct{})
	w.handle("h", func(_ context.Context, t *worker.Task) error {
		t.Progress(7, strings.Repeat("é", 1000))
		close(said)
		<-free
		return nil
	})
	w.run(one)
	w.send(job(task.Of(0)))
	<-said
	var running task.Running
	require.Eventually(t, func() bool {
		require.NoError(t, w.signals.Publish(w.ctx, "rollcall", nil))
		var beat task.Heartbeat
		require.NoError(t, json.Unmarshal(<-beats.C(), &beat))
		if len(beat.Holding) == 1 && len(beat.Holding[0].Running) == 1 {
			running = beat.Holding[0].Running[0]
		}
		return running.Progress > 0
	}, 20*time.Second, 10*time.Millisecond)
	assert.InDelta(t, 1, running.Progress, 0, "1 is all of it")
	assert.Equal(t, strings.Repeat("é", task.MaxMessage/2), running.Message)
	close(free)
	require.Equal(t, task.Done, w.results(1)[0].Outcome)
}

func TestWhatAProgramTellsOfItsFailureCounts(t *testing.T) {
	for name, test := range map[string]struct {
		does string
		want task.Failure
	}{
		"with a reason":         {`echo '{"failed": "no such row"}' >&3; exit 1`, task.Failure{Error: "script: no such row", Verdict: task.Retry}},
		"for good":              {`echo '{"failed": "bad row", "permanent": true}' >&3; exit 1`, task.Failure{Error: "script: bad row", Verdict: task.Permanent}},
		"with a time":           {`echo '{"failed": "busy", "retryAfter": 60}' >&3; exit 75`, task.Failure{Error: "script: busy", Verdict: task.Retry, After: task.Duration(time.Minute)}},
		"with an endless time":  {`echo '{"failed": "busy", "retryAfter": 1e300}' >&3; exit 75`, task.Failure{Error: "script: busy", Verdict: task.Retry, After: task.Duration(24 * time.Hour)}},
		"although it ends well": {`echo '{"failed": "no"}' >&3; exit 0`, task.Failure{Error: "script: no", Verdict: task.Retry}},
		"unless it is killed":   {`echo '{"failed": "no"}' >&3; kill -9 $$`, task.Failure{Error: "script: ended by signal: killed", Verdict: task.Retry}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.run()
			assert.Equal(t, test.want, w.failure(job(task.Of(0), shell(test.does))))
		})
	}
}

func TestWhatCannotBeUnderstoodOfAProgramHarmsNothing(t *testing.T) {
	w := newWorld(t)
	w.run()
	got := w.result(job(task.Of(0), writes("out"), shell(`echo 1 > "$DEED_OUT/out"
		printf 'nonsense\n\n[]\n{"progress": "much"}\n' >&3
		head -c 200000 /dev/zero | tr '\0' x >&3; echo >&3
		echo '{"log": "and a line", "other": {}}' >&3; printf '{"log": "the last"}' >&3`)))
	require.Equal(t, []string{"/: 1"}, w.texts(got))
	lines := w.printedBy(0)
	require.Len(t, lines, 3)
	require.Contains(t, lines[0], `log what the program wrote to $DEED_EVENTS is left out where it is no event: "nonsense"`)
	require.Equal(t, []string{"log and a line", "log the last"}, lines[1:])
}

func TestSecretsAreHiddenInWhatAProgramSaysToTheWorker(t *testing.T) {
	t.Setenv("DEED_SECRET_PW", "hunter22")
	w := newWorld(t)
	w.run()
	secret := func(w *task.Work) { w.Env = map[string]task.Variable{"PW": {Secret: "pw"}} }
	f := w.failure(job(task.Of(0), secret, shell(`echo "{\"log\": \"$PW\"}" >&3; echo "$PW" >&3; echo "{\"failed\": \"it was $PW\"}" >&3; exit 1`)))
	require.Equal(t, "script: it was ***", f.Error)
	require.NotContains(t, strings.Join(w.printedBy(0), "\n"), "hunter22")
	require.NotContains(t, w.log.String(), "hunter22")
}

// pythonJob runs a function with deed.py beside it.
func (w *world) pythonJob(function string) func(*task.Work) {
	w.t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		w.t.Skip("python3 is not installed here")
	}
	library, err := os.ReadFile("../sdk/python/deed.py")
	require.NoError(w.t, err)
	files := []task.File{
		{Name: "deed.py", Ref: *w.blob("", "", string(library)).Ref},
		{Name: "program.py", Ref: *w.blob("", "", "import os\nimport deed\n\n@deed.handler\n"+function+"\n\ndeed.run()\n").Ref},
	}
	return func(w *task.Work) { w.Run.Command, w.Run.Handler, w.Files = []string{python, "program.py"}, "", files }
}

func kept(w *task.Work) { w.Run.Keep = true }

func TestAPythonFunctionIsAHandlerKeptAliveOrNot(t *testing.T) {
	for name, keeps := range map[string]func(*task.Work){"kept": kept, "not kept": func(*task.Work) {}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.run(one)
			function := w.pythonJob(`
def shout(text: str, mark, task):
    print("printed by", task.index)
    deed.log("logged by", task.index)
    if text == "permanent":
        raise deed.Permanent("no such text")
    if text == "later":
        raise deed.RetryAfter(30, "busy")
    if text == "wrong":
        raise ValueError(text)
    return {"score": len(text), "loud": text.upper() + mark}
`)
			work := func(i int, text string) task.Work {
				return job(task.Of(i), function, keeps, reads(task.Input{Local: "text", Mode: task.Element, Lists: [][]task.Part{{w.blob("k", "a.txt", text)}}}), func(w *task.Work) {
					w.Params = map[string]json.RawMessage{"mark": []byte(`"!"`)}
					w.Outputs = []task.Output{{Local: "score", Data: "score", JSON: "number"}, {Local: "loud", Data: "loud"}}
				})
			}
			require.Equal(t, []string{"k/a.txt: 5", "k/a.txt: HELLO!"}, w.texts(w.result(work(0, "hello"))))
			require.ElementsMatch(t, []string{"out printed by 0", "log logged by 0"}, w.printedBy(0))
			permanent := w.failure(work(1, "permanent"))
			require.Equal(t, task.Permanent, permanent.Verdict)
			require.Contains(t, permanent.Error, `": no such text`)
			later := w.failure(work(2, "later"))
			require.Equal(t, task.Duration(30*time.Second), later.After)
			wrong := w.failure(work(3, "wrong"))
			require.Equal(t, task.Retry, wrong.Verdict)
			require.Contains(t, wrong.Error, "ValueError: wrong")
			require.Contains(t, strings.Join(w.printedBy(3), "\n"), "err Traceback (most recent call last)")
			require.Equal(t, []string{"k/a.txt: 2", "k/a.txt: HO!"}, w.texts(w.result(work(4, "ho"))))
		})
	}
}
