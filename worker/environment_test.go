package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

const password = "correct horse battery staple"

// env gives a step an environment with a secret in it.
func env(more map[string]task.Variable) func(*task.Work) {
	return func(w *task.Work) {
		w.Env = map[string]task.Variable{"PGPASSWORD": {Secret: "pg"}}
		for name, v := range more {
			w.Env[name] = v
		}
	}
}

// keeper is a worker that has the secret pg.
func (w *world) keeper(change ...func(*worker.Options)) *running {
	return w.run(append(change, func(o *worker.Options) {
		o.Secrets = func(_ context.Context, name string) (string, error) {
			if name == "pg" {
				return password, nil
			}
			return "", fmt.Errorf("the vault has no %s", name)
		}
	})...)
}

// said is all that was stored of what the tasks of the process p said.
func (w *world) said() string {
	w.t.Helper()
	logs, err := w.blobs.Logs(w.ctx, "p", "")
	require.NoError(w.t, err)
	var all strings.Builder
	for _, l := range logs {
		for line, err := range w.blobs.OpenLog(l.LogName).Lines(w.ctx) {
			require.NoError(w.t, err)
			all.WriteString(line.Text + "\n")
		}
	}
	return all.String()
}

func TestAProgramFindsWhatItsStepSetsInItsEnvironment(t *testing.T) {
	t.Setenv("DEED_SECRET_OTHER", "hidden from programs")
	w := newWorld(t)
	w.keeper()
	got := w.result(job(task.Of(0), writes("out"), shell(`/usr/bin/env > "$DEED_OUT/out"`), env(map[string]task.Variable{
		"PGHOST": {Value: "db"}, "EMPTY": {}, "PATH": {Value: "/opt/tools"}, "LC_ALL": {Value: "C"}, "TEXT": {Value: "${params.x} $HOME\nb"},
	})))
	require.Equal(t, task.Done, got.Outcome, "%+v", got.Failure)
	text := w.read(got.Parts[0].Part)
	lines := strings.Split(text, "\n")
	for _, want := range []string{"PGPASSWORD=" + password, "PGHOST=db", "EMPTY=", "PATH=/opt/tools", "LC_ALL=C", "TEXT=${params.x} $HOME", "DEED_TASK=p/step[0]"} {
		assert.Contains(t, lines, want)
	}
	assert.Equal(t, 1, strings.Count("\n"+text, "\nPATH="), "a name occurs once")
	assert.NotContains(t, text, "hidden from programs")
}

func TestAHandlerAsksForWhatItsStepSets(t *testing.T) {
	w := newWorld(t)
	w.handle("h", func(_ context.Context, task *worker.Task) error {
		for name, want := range map[string]string{"PGPASSWORD": password, "PGHOST": "db"} {
			if value, err := task.Env(name); err != nil || value != want {
				return fmt.Errorf("%s is not what it should be: %w", name, err)
			}
		}
		_, err := task.Env("PGHSOT")
		return err
	})
	w.keeper()
	f := w.failure(job(task.Of(0), env(map[string]task.Variable{"PGHOST": {Value: "db"}})))
	require.Equal(t, `read variable: "PGHSOT" is unknown, did you mean "PGHOST"? the step sets "PGHOST", "PGPASSWORD"`, f.Error)
}

func TestNothingThatATaskSaysTellsItsSecret(t *testing.T) {
	for name, tc := range map[string]struct {
		run  func(*task.Work)
		hand worker.HandlerFunc
		want string // of the failure
	}{
		"a program that prints it, in one piece and in several": {
			run:  shell(`echo "with $PGPASSWORD"; printf 'correct horse '; sleep 0.05; echo 'battery staple'; echo "no $PGPASSWORD" >&2; exit 3`),
			want: "the last lines of its standard error: no ***",
		},
		"a program that prints so much that it is cut within it": {
			run:  shell(`i=0; while [ $i -lt 400 ]; do printf '%s' "$PGPASSWORD"; i=$((i+1)); done >&2; exit 1`),
			want: "***",
		},
		"a handler that fails with it": {
			hand: func(_ context.Context, t *worker.Task) error {
				secret, _ := t.Env("PGPASSWORD")
				t.Logf("logging in with %s", secret)
				return fmt.Errorf("%s: login with %s refused", strings.Repeat(secret, 100), secret)
			},
			want: "login with *** refused",
		},
		"a handler that gives up because of it": {
			hand: func(_ context.Context, t *worker.Task) error {
				secret, _ := t.Env("PGPASSWORD")
				return worker.Permanent(errors.New("no " + secret))
			},
			want: "no ***",
		},
		"a handler that panics with it": {
			hand: func(_ context.Context, t *worker.Task) error {
				secret, _ := t.Env("PGPASSWORD")
				panic("no " + secret)
			},
			want: "panic: no ***",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			change := []func(*task.Work){env(nil)}
			if tc.run != nil {
				change = append(change, tc.run)
			} else {
				w.handle("h", tc.hand)
			}
			r := w.keeper()
			f := w.failure(job(task.Of(0), change...))
			assert.Contains(t, f.Error, tc.want)
			r.Close()
			<-r.ended
			stored, logged := w.said(), w.log.String()
			for where, text := range map[string]string{"failure": f.Error, "stored": stored, "logged": logged} {
				for _, part := range []string{password, "correct horse", "horse bat", "battery", "staple"} {
					assert.NotContains(t, text, part, where)
				}
			}
		})
	}
}

func TestASecretThatTheWorkerDoesNotHaveCostsAnAttemptAndSaysWhichOneWhereAndWhatFor(t *testing.T) {
	w := newWorld(t)
	w.handle("h", func(context.Context, *worker.Task) error { return nil })
	w.keeper()
	f := w.failure(job(task.Of(0), env(map[string]task.Variable{"TOKEN": {Secret: "api-token"}})))
	require.Equal(t, task.Retry, f.Verdict, "another worker may have it")
	require.Equal(t, `worker "w1" has no secret "api-token", which $TOKEN is to hold: the vault has no api-token`, f.Error)
}

func TestAMessageThatSetsWhatNoStepMayIsRefusedForGood(t *testing.T) {
	w := newWorld(t)
	w.handle("h", func(context.Context, *worker.Task) error { return nil })
	w.keeper()
	for name, v := range map[string]task.Variable{
		"DEED_OUT": {Value: "/etc"}, "A=B": {Value: "x"}, "UP": {Secret: "../../etc/shadow"}, "BOTH": {Secret: "pg", Value: "x"},
	} {
		f := w.failure(job(task.Of(0), env(map[string]task.Variable{name: v})))
		require.Equal(t, task.Permanent, f.Verdict)
		require.Contains(t, f.Error, "the sender is at fault", name)
	}
}

func TestAWorkerThatLimitsProgramsLimitsTheVariablesThatStepsSetForThem(t *testing.T) {
	limited := func(allow []string, variables ...string) func(*worker.Options) {
		return func(o *worker.Options) { o.Allow, o.AllowEnv = allow, variables }
	}
	preload := env(map[string]task.Variable{"LD_PRELOAD": {Value: "./evil.so"}})
	for name, tc := range map[string]struct {
		options func(*worker.Options)
		run     func(*task.Work)
		refused string
	}{
		"none of a program":           {limited([]string{"true"}), command("true"), `does not let a step set the variable "LD_PRELOAD" for a program: it allows none (--allow-env)`},
		"some of a program":           {limited([]string{"true"}, "PG*"), command("true"), `"LD_PRELOAD" for a program: it allows PG* (--allow-env)`},
		"those of a program":          {limited([]string{"true"}, "PG*", "LD_PRELOAD"), command("true"), ""},
		"a script does what it likes": {limited([]string{"sh"}), shell("true"), ""},
		"everything is allowed":       {limited([]string{"*"}), command("true"), ""},
		"nothing is limited":          {limited(nil), command("true"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.keeper(tc.options)
			got := w.result(job(task.Of(0), preload, tc.run))
			if tc.refused == "" {
				require.NotEqual(t, task.Unserved, got.Outcome)
				return
			}
			require.Equal(t, task.Unserved, got.Outcome)
			require.Contains(t, got.Failure.Error, tc.refused)
		})
	}
	require.ErrorContains(t, worker.CheckAllowEnv([]string{"PG["}), `allow-env "PG[": write the name of a variable`)
}
