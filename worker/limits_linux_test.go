package worker_test

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestAProgramHasItsLimitsFromItsFirstInstructionOn(t *testing.T) {
	w := newWorld(t)
	w.run()
	all := task.Limits{Memory: 1<<30 + 1, CPUTime: task.Duration(1500 * time.Millisecond), OpenFiles: 64}
	const tell = `echo $(ulimit -Sv) $(ulimit -Hv) $(ulimit -Sn) $(ulimit -Hn) $(ulimit -St) $(ulimit -Ht)`
	for name, run := range map[string]func(*task.Work){
		"a script":  shell(tell + ` > "$DEED_OUT/out"`),
		"a command": command("sh", "-c", tell+` > "$DEED_OUT/$1"`, "what is $0", "out"),
	} {
		got := w.result(job(task.Of(0), run, writes("out"), limited(all)))
		require.Equal(t, []string{"/: 1048577 1048577 64 64 2 7"}, w.texts(got), name)
	}
	got := w.result(job(task.Of(0), keep("", tell+` > "$out/out"; `+answersDone), writes("out"), limited(all)))
	require.Equal(t, []string{"/: 1048577 1048577 64 64 2 unlimited"}, w.texts(got), "its CPU time grows with every task")
}

func TestALimitThatIsNoneForTheWorkerIsNoErrorAndLowersNothing(t *testing.T) {
	var now syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now))
	w := newWorld(t)
	w.run()
	got := w.result(job(task.Of(0), shell(`ulimit -Hn > "$DEED_OUT/out"`), writes("out"), limited(task.Limits{OpenFiles: int(now.Max) + 1})))
	require.Equal(t, []string{fmt.Sprintf("/: %d", now.Max)}, w.texts(got))
}

func TestALimitThatAProgramComesToIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		run    func(*task.Work)
		limits task.Limits
		says   string
	}{
		"CPU time": {
			shell(`while :; do :; done`), task.Limits{CPUTime: task.Duration(time.Second)}, "script: killed by its CPU limit of 1s",
		},
		"CPU time, of what a script starts": {
			shell(`sh -c 'while :; do :; done'; exit $?`), task.Limits{CPUTime: task.Duration(time.Second)}, "script: killed by its CPU limit of 1s",
		},
		"memory": {
			shell(`dd if=/dev/zero of=/dev/null bs=200M count=1`), task.Limits{Memory: 100 << 20}, "script: exit code 1, out of memory: its limit is 100 MiB",
		},
		"memory, without a word": {
			shell(`kill -s SEGV $$`), task.Limits{Memory: 100 << 20}, "script: ended by signal: segmentation fault, perhaps by its memory limit of 100 MiB",
		},
		"open files": {
			shell(`awk 'BEGIN { for (i = 0; i < 50; i++) print "" > ("f" i) }'`), task.Limits{OpenFiles: 20}, "out of files: its limit is 20 open at a time",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.run()
			f := w.failure(job(task.Of(0), test.run, limited(test.limits), timeout(time.Minute)))
			assert.Equal(t, task.Retry, f.Verdict)
			assert.Contains(t, f.Error, test.says)
		})
	}
}

func TestPythonThatComesToItsMemoryLimitSaysSo(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed here")
	}
	w := newWorld(t)
	w.run()
	f := w.failure(job(task.Of(0), command(python, "-c", "x = bytearray(1 << 30)"), limited(task.Limits{Memory: 512 << 20})))
	require.Contains(t, f.Error, "exit code 1, out of memory: its limit is 512 MiB; the last lines of its standard error: ")
	require.Contains(t, f.Error, "MemoryError")
}

func TestAProgramThatDoesNotExistIsNamedAlsoUnderLimits(t *testing.T) {
	w := newWorld(t)
	w.run()
	f := w.failure(job(task.Of(0), command("/no/such/program"), limited(task.Limits{OpenFiles: 64})))
	require.Contains(t, f.Error, `start program "/no/such/program": stat /no/such/program: no such file or directory`)
}

func TestEveryTaskOfAProgramThatIsKeptHasTheWholeCPUTime(t *testing.T) {
	w := newWorld(t)
	w.run(one)
	// Together they burn more than the limit. The clock that they see is not quite the kernel's.
	burns := `while :; do read -r stat < /proc/$$/stat; set -- $stat; [ $((${14} + ${15})) -lt $((index * 50 + 50)) ] || break; done; ` + tellsPID
	limit := limited(task.Limits{CPUTime: task.Duration(time.Second)})
	first := w.wrote(job(task.Of(0), keep("", burns), writes("out"), limit))
	for i := 1; i < 3; i++ {
		require.Equal(t, first, w.wrote(job(task.Of(i), keep("", burns), writes("out"), limit)))
	}
	f := w.failure(job(task.Of(3), keep("", `while :; do :; done`), writes("out"), limit))
	require.True(t, strings.HasPrefix(f.Error, "script: killed by its CPU limit of 1s"), f.Error)
}
