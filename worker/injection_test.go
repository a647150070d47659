package worker_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// wicked are texts that somebody may choose who wants to get out. Would one of
// them be run by a shell, or be a path, there were a file named pwned.
func wicked() map[string]string {
	return map[string]string{
		"a path up":            "../../pwned",
		"many paths up":        strings.Repeat("../", 50) + "tmp/pwned",
		"an absolute path":     "/tmp/pwned",
		"a path up in between": "a/../../../pwned",
		"dots":                 "..",
		"a zero byte":          "a\x00/../../pwned",
		"a newline":            "a\n../../pwned\ntouch pwned\n",
		"commands":             "; touch pwned; $(touch pwned) `touch pwned` | touch pwned & touch pwned > pwned",
		"quotes":               `"; touch pwned; ' ; touch pwned; "`,
		"an option":            "--output=../../pwned",
		"variables":            "${IFS}$HOME*?[a]~\\",
		"terminal codes":       "\x1b[2J\x1b]0;pwned\x07\r\b",
		"no text":              "\xff\xfe/..\xc0\xae",
		"10 MB":                strings.Repeat("../x;", 2<<20),
		"a million folders":    strings.Repeat("x/", 1<<20) + "x",
	}
}

// jail is a place from which nothing must get out.
type jail struct {
	*world

	root string
	temp string // of the worker, below it
}

// newJail runs a worker whose directories have something above them to lose.
func newJail(t *testing.T) *jail {
	t.Helper()
	j := &jail{world: newWorld(t), root: t.TempDir()}
	j.temp = filepath.Join(j.root, "a", "b", "temp")
	require.NoError(t, os.MkdirAll(j.temp, 0o700))
	t.Chdir(j.root)
	j.work, j.inbox = mem.NewQueue(mem.Options{MaxBody: 128 << 20}), newInbox(mem.Options{MaxBody: 128 << 20})
	j.run(one, func(o *worker.Options) { o.TempDir = j.temp })
	return j
}

// intact says that nobody got out.
func (j *jail) intact() {
	j.t.Helper()
	for _, path := range []string{"/tmp/pwned", filepath.Join(os.Getenv("HOME"), "pwned")} {
		_, err := os.Lstat(path)
		require.ErrorIs(j.t, err, os.ErrNotExist)
	}
	require.NoError(j.t, filepath.WalkDir(j.root, func(path string, d os.DirEntry, err error) error {
		if err != nil && !os.IsNotExist(err) { // a directory of a task goes meanwhile
			return err
		}
		if filepath.Dir(path) == j.temp { // in the directory of a task it may do what it likes
			require.Regexp(j.t, `^(deed-(task|kept|files)-|standard-)`, d.Name())
			return filepath.SkipDir
		}
		require.Contains(j.t, []string{j.root, filepath.Dir(filepath.Dir(j.temp)), filepath.Dir(j.temp), j.temp, filepath.Join(j.root, "secret")}, path)
		return nil
	}))
}

// each tries all wicked texts. A task may fail, but must not get out, and the
// next one has to be served as ever.
func (j *jail) each(try func(text string) task.Work) {
	for name, text := range wicked() {
		j.t.Run(name, func(t *testing.T) {
			outer := j.t
			j.t = t
			defer func() { j.t = outer }()
			r := j.result(try(text))
			if r.Outcome == task.Failed {
				assert.LessOrEqual(t, len(r.Failure.Error), task.MaxError)
				assert.NotEmpty(t, r.Failure.Error)
			}
			j.intact()
			require.Equal(t, []string{"/: fine"}, j.texts(j.result(job(task.Of(1), shell(`echo fine > "$DEED_OUT/out"`), writes("out")))))
		})
	}
}

// touches is a script that uses all it is told, as careful authors do.
const touches = `for f in "$DEED_IN"/*; do test -e "$f" || continue; cat "$f" > /dev/null 2>&1 || find "$f" -type f -exec cat {} + > /dev/null; done
echo "$DEED_KEY $DEED_ADDRESS $DEED_TASK" > "$DEED_OUT/out"`

func TestNoKeyAndNoNameOfAPartLeadsOutOfTheDirectoryOfATask(t *testing.T) {
	j := newJail(t)
	j.each(func(text string) task.Work {
		parts := []task.Part{j.blob(text, text, "x"), j.blob(text, "", "x"), j.blob("", text, "x"), j.blob(text, text, "x")}
		return job(task.Of(0), reads(whole("all", parts...), elements("one", parts[0])), writes("out"), shell(touches+`
			test "$(find "$DEED_IN/all" -type f | tr -cd x | wc -c)" -ge 0
			test "$(find "$DEED_IN/all" -type f -exec echo . \; | wc -l)" = 4`))
	})
}

func TestNoLocalNameLeadsOutOfTheDirectoryOfATask(t *testing.T) {
	j := newJail(t)
	t.Run("input", func(t *testing.T) {
		j.each(func(text string) task.Work {
			return job(task.Of(0), reads(elements(text, j.blob("", "", "x"))), writes("out"), shell(touches))
		})
	})
	t.Run("output", func(t *testing.T) {
		j.each(func(text string) task.Work { return job(task.Of(0), writes(text), shell(`touch "$DEED_OUT/out"`)) })
	})
}

func TestNoParameterLeadsOutOfTheEnvironment(t *testing.T) {
	j := newJail(t)
	for name, program := range map[string]func(*task.Work){
		"once": shell(touches + `; test -n "$(env | grep -c ^DEED_PARAM_)"`),
		"kept": keep("", tellsPID),
	} {
		t.Run(name, func(t *testing.T) {
			j.each(func(text string) task.Work {
				value, err := json.Marshal(text)
				require.NoError(t, err)
				return job(task.Of(0), writes("out"), program, func(w *task.Work) {
					w.Params = map[string]json.RawMessage{"value": value, text: []byte("1")}
				})
			})
		})
	}
}

func TestAParameterOf10MBIsAFailureThatSaysWhereItIsFoundInstead(t *testing.T) {
	j := newJail(t)
	big, err := json.Marshal(strings.Repeat("x", 10<<20))
	require.NoError(t, err)
	f := j.failure(job(task.Of(0), shell("true"), func(w *task.Work) { w.Params = map[string]json.RawMessage{"big": big} }))
	require.Contains(t, f.Error, "a parameter, the key or an argument is too large; a program finds them in $DEED_TASK_FILE too")
	got := j.result(job(task.Of(0), keep("", `wc -c < "$TMPDIR/line" > "$out/out"; `+answersDone), writes("out"), func(w *task.Work) { w.Params = map[string]json.RawMessage{"big": big} }))
	require.Equal(t, task.Done, got.Outcome, "%+v", got.Failure)
}

func TestNoArgumentIsReadByAShell(t *testing.T) {
	j := newJail(t)
	for name, limits := range map[string]task.Limits{"without limits": {}, "under limits": {OpenFiles: 64, Memory: 1 << 30}} {
		t.Run(name, func(t *testing.T) {
			j.each(func(text string) task.Work {
				return job(task.Of(0), writes("out"), limited(limits), command("sh", "-c", `printf %s "$2" > "$DEED_OUT/out"`, "sh", "--", text))
			})
			got := j.result(job(task.Of(0), writes("out"), limited(limits), command("sh", "-c", `printf '%s|' "$@" > "$DEED_OUT/out"`, "sh", "--", "-v", "", "a\nb", "$(touch pwned)")))
			require.Equal(t, []string{"/: --|-v||a\nb|$(touch pwned)|"}, j.texts(got), "they arrive as they are")
		})
	}
}

func TestNoNameOfAProgramIsReadByAShell(t *testing.T) {
	j := newJail(t)
	for name, limits := range map[string]task.Limits{"without limits": {}, "under limits": {OpenFiles: 64}} {
		t.Run(name, func(t *testing.T) {
			j.each(func(text string) task.Work { return job(task.Of(0), limited(limits), command(text, text)) })
		})
	}
}

func TestNoFileOfADefinitionLiesOutsideOfTheWorkingDirectory(t *testing.T) {
	j := newJail(t)
	for name, program := range map[string]func(*task.Work){"once": shell(touches), "kept": keep("", tellsPID)} {
		t.Run(name, func(t *testing.T) {
			j.each(func(text string) task.Work {
				return job(task.Of(0), writes("out"), program, func(w *task.Work) {
					w.Files = []task.File{{Name: text, Ref: *j.blob("", "", "#!/bin/sh\ntouch pwned\n").Ref}}
				})
			})
		})
	}
}

func TestNoVariableOfAStepIsReadByAShell(t *testing.T) {
	j := newJail(t)
	t.Run("value", func(t *testing.T) {
		j.each(func(text string) task.Work {
			return job(task.Of(0), writes("out"), shell(touches), func(w *task.Work) { w.Env = map[string]task.Variable{"A": {Value: text}} })
		})
	})
	t.Run("name", func(t *testing.T) {
		j.each(func(text string) task.Work {
			return job(task.Of(0), writes("out"), shell(touches), func(w *task.Work) { w.Env = map[string]task.Variable{text: {Value: "x"}} })
		})
	})
	t.Run("secret", func(t *testing.T) {
		j.each(func(text string) task.Work {
			return job(task.Of(0), writes("out"), shell(touches), func(w *task.Work) { w.Env = map[string]task.Variable{"A": {Secret: text}} })
		})
	})
}

func TestNoTextOfATaskMakesTwoLinesForAProgramThatIsKept(t *testing.T) {
	j := newJail(t)
	j.each(func(text string) task.Work {
		value, err := json.Marshal(text)
		require.NoError(t, err)
		return job(task.Of(0), reads(elements("in", j.blob(text[:min(len(text), 100)], text[:min(len(text), 100)], "x"))), writes("out"),
			keep("", `test "$(head -c 7 "$TMPDIR/line")" = '{"id":"'; test "$(tail -c 2 "$TMPDIR/line")" = '}'; `+tellsPID), func(w *task.Work) {
				w.Params = map[string]json.RawMessage{"a": value}
			})
	})
}

func TestNoAddressLeadsOutOfTheDirectoryOfATask(t *testing.T) {
	j := newJail(t)
	for name, text := range wicked() {
		t.Run(name, func(t *testing.T) {
			j.send(job(task.Of(0), writes("out"), shell(touches), func(w *task.Work) { w.Address = text }))
			j.send(job(task.Of(1), writes("out"), shell(`echo fine > "$DEED_OUT/out"`)))
			for fine := false; !fine; { // the first may be in quarantine, which reports nothing
				for _, r := range j.results(1) {
					fine = fine || r.Address == "step" && r.Outcome == task.Done
				}
			}
			j.intact()
		})
	}
}

func TestWhatAProgramLeavesLeadsOutOfNothing(t *testing.T) {
	j := newJail(t)
	secret := filepath.Join(j.root, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("of the worker"), 0o600))
	for name, test := range map[string]struct{ does, says string }{
		"a link to a file":      {`ln -s ` + secret + ` "$DEED_OUT/out"`, "is a symbolic link"},
		"a link to a directory": {`ln -s ` + j.root + ` "$DEED_OUT/out"`, "is a symbolic link"},
		"a link in a directory": {`mkdir "$DEED_OUT/out"; ln -s ` + j.root + ` "$DEED_OUT/out/dir"`, "is a symbolic link"},
		"a link as all outputs": {`rmdir "$DEED_OUT"; ln -s ` + j.root + ` "$DEED_OUT"`, "collect outputs"},
	} {
		t.Run(name, func(t *testing.T) {
			f := j.failure(job(task.Of(0), writes("out"), shell(test.does)))
			require.Contains(t, f.Error, test.says)
			_, err := os.Stat(secret)
			require.NoError(t, err, "nor is anything removed through it")
		})
	}
}

func TestNoLineOfALogIsForged(t *testing.T) {
	j := newJail(t)
	j.result(job(task.Of(0), shell(`printf '%s\n' '{"log": "one\n2026-01-01T00:00:00Z end 0 bytes, CRC-32C 00000000\r\u0000two"}' >&3`)))
	lines := j.printedBy(0)
	require.Len(t, lines, 2)
	require.Equal(t, "log one", lines[0])
	require.True(t, strings.HasPrefix(lines[1], "log 2026-01-01T00:00:00Z end 0 bytes"), "it is text of the line, not the end of the log")
}
