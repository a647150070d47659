package worker_test

import (
	"encoding/json"
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

func TestPrograms(t *testing.T) {
	t.Run("a program reads its element from a file and leaves a part in a file", func(t *testing.T) {
		w := newWorld(t)
		dir := t.TempDir()
		r := w.run(func(o *worker.Options) { o.TempDir = dir })
		got := w.result(job(task.Of(2), shell(`tr a-z A-Z < "$DEED_IN/text" > "$DEED_OUT/out"`),
			reads(elements("text", w.blob("k", "a.txt", "hello"))), writes("out")))
		assert.Equal(t, []string{"k/a.txt: HELLO"}, w.texts(got))
		w.cleaned(r, dir)
	})

	t.Run("a command is given its arguments as they are, and runs without a shell", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		f := w.failure(job(task.Of(0), command("ls", "$HOME; exit 0")))
		assert.Contains(t, f.Error, `program "ls": exit code 2; the last lines of its standard error: `)
		assert.Contains(t, f.Error, "$HOME; exit 0")
	})

	t.Run("a list is a directory of files by key and name, whatever the keys and names", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		parts := []task.Part{
			w.blob("", "a.txt", "plain"), w.blob("", "a.txt", "same name"), w.blob("", "", "no name"),
			w.blob("2024/05", "b.txt", "keyed"), w.blob("../..", "../evil", "up"), w.blob("/etc", "passwd", "absolute"),
			w.blob("a.txt", "c", "key like a file"), w.blob("k", "a\x00b", "zero"), w.blob(strings.Repeat("x/", 900), "deep", "deep"),
			w.blob("", strings.Repeat("n", 300)+".csv", "long"), w.blob("..", "..", "dots"), w.blob("k", "-", "dash"),
		}
		got := w.result(job(task.Of(0), reads(whole("in", parts...)), writes("out"),
			shell(`cd "$DEED_IN/in"; find . -type f | LC_ALL=C sort | while read -r f; do echo "$f = $(cat "$f")"; done > "$DEED_OUT/out"; ls "$DEED_IN" >> "$DEED_OUT/out"`)))
		assert.Equal(t, strings.Join([]string{
			"/: ./00002 = no name",
			"./2024/05/b.txt = keyed",
			"./__~5ec1f7e700f3/__~5ec1f7e700f3/.~2d6afc710923._evil = up",
			"./__~5ec1f7e700f3/__~5ec1f7e700f3~2 = dots",
			"./_~63f2c7f503b4/deep = deep",
			"./_~e3b0c44298fc/etc/passwd = absolute",
			"./a.txt = plain",
			"./a~2.txt = same name",
			"./a~folder.txt/c = key like a file",
			"./k/- = dash",
			"./k/a_b~59b271ae1bbc = zero",
			"./" + strings.Repeat("n", 196) + "~c4927c3d00b2.csv = long",
			"in",
		}, "\n"), strings.Join(w.texts(got), ""))
	})
}

func TestWhatAProgramKnows(t *testing.T) {
	t.Run("the task, its parameters and little of the worker's environment", func(t *testing.T) {
		t.Setenv("DEED_TEST_SECRET", "secret")
		t.Setenv("LC_TEST", "C")
		w := newWorld(t)
		w.run()
		got := w.result(job(task.Of(4), reads(elements("in", w.blob("2024", "a", "x"))), writes("out"), shell(`env > "$DEED_OUT/out"`),
			func(w *task.Work) {
				w.Address, w.Attempt = "clean/dedupe", 3
				w.Params = map[string]json.RawMessage{"top-n": []byte("20"), "word": []byte(`"a \"b\""`), "on": []byte("true")}
			}))
		require.Equal(t, task.Done, got.Outcome, "%+v", got.Failure)
		env := strings.Split(w.read(got.Parts[0].Part), "\n")
		for _, want := range []string{
			"DEED_TASK=p/clean/dedupe[4]", "DEED_INDEX=4", "DEED_KEY=2024", "DEED_ATTEMPT=3", "DEED_PROCESS=p",
			"DEED_ADDRESS=clean/dedupe", "DEED_PARAM_TOP_N=20", `DEED_PARAM_WORD=a "b"`, "DEED_PARAM_ON=true",
			"LC_TEST=C",
		} {
			assert.Contains(t, env, want)
		}
		assert.NotContains(t, strings.Join(env, "\n"), "secret")
	})

	t.Run("the task as JSON, an empty standard input and a directory for itself", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		got := w.result(job(task.Of(0), reads(elements("in", w.blob("k", "n", "x")), whole("all")), writes("out"),
			shell(`cat; test -z "$(ls -A)"; test -d "$TMPDIR"; cp "$DEED_TASK_FILE" "$DEED_OUT/out"`)))
		require.Equal(t, task.Done, got.Outcome, "%+v", got.Failure)
		var said struct {
			Task, Key, Name string
			Inputs          map[string]struct{ Path, Kind string }
			Outputs         map[string]string
		}
		require.NoError(t, json.Unmarshal([]byte(w.read(got.Parts[0].Part)), &said))
		assert.Equal(t, []string{"p/step[0]", "k", "n"}, []string{said.Task, said.Key, said.Name})
		assert.Equal(t, "file", said.Inputs["in"].Kind)
		assert.Equal(t, "directory", said.Inputs["all"].Kind)
		assert.Equal(t, "out", filepath.Base(said.Outputs["out"]))
	})

	t.Run("two parameters of one variable are refused", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		f := w.failure(job(task.Of(0), shell("true"), func(w *task.Work) {
			w.Params = map[string]json.RawMessage{"a-b": []byte("1"), "a_b": []byte("2")}
		}))
		assert.Equal(t, task.Permanent, f.Verdict)
		assert.Contains(t, f.Error, `the parameters "a-b" and "a_b" would both be $DEED_PARAM_A_B`)
	})

	t.Run("the files of the definition lie beside it, scripts executable", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		files := func(names ...string) func(*task.Work) {
			text := map[string]string{"go.sh": "#!/bin/sh\ncat lib/data.txt > \"$DEED_OUT/out\"\n", "lib/data.txt": "data"}
			return func(work *task.Work) {
				for _, name := range names {
					work.Files = append(work.Files, task.File{Name: name, Ref: *w.blob("", "", text[name]).Ref})
				}
			}
		}
		for range 2 { // the second time from the cache
			got := w.result(job(task.Of(0), command("./go.sh"), files("go.sh", "lib/data.txt"), writes("out")))
			assert.Equal(t, []string{"/: data"}, w.texts(got))
		}
		bare := w.failure(job(task.Of(0), command("go.sh"), files("go.sh")))
		assert.Contains(t, bare.Error, `run "go.sh": it is not in the PATH of the worker; to run the file of the definition write "./go.sh"`)
		missing := w.failure(job(task.Of(0), command("no-such-program")))
		assert.Contains(t, missing.Error, `run "no-such-program": it is not in the PATH of the worker`)
		out := w.failure(job(task.Of(0), shell("true"), files("../go.sh")))
		assert.Equal(t, task.Permanent, out.Verdict)
		assert.Contains(t, out.Error, "leads out of the working directory")
	})

	t.Run("a program in Python does the same", func(t *testing.T) {
		python, err := exec.LookPath("python3")
		if err != nil {
			t.Skip("python3 is not installed here")
		}
		w := newWorld(t)
		w.run()
		got := w.result(job(task.Of(0), command(python, "-c", `
import json, os
n = len(open(os.environ["DEED_IN"] + "/text").read().split())
json.dump(n, open(os.environ["DEED_OUT"] + "/out", "w"))
`), reads(elements("text", w.blob("", "a.txt", "three little words"))), writes("out"), func(w *task.Work) { w.Timeout = task.Duration(30 * time.Second) }))
		assert.Equal(t, []string{"/a.txt: 3"}, w.texts(got))
	})
}

func TestWhatAProgramLeaves(t *testing.T) {
	t.Run("a directory is many parts, and a folder inside is the key", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		got := w.result(job(task.Of(0), reads(elements("in", w.blob("mine", "x", "x"))), writes("out", "none"),
			shell(`cd "$DEED_OUT"; mkdir -p out/b/c out/a none; echo 1 > out/b/c/one; echo 2 > out/a/two; echo 3 > out/three`)))
		assert.Equal(t, []string{"a/two: 2", "b/c/one: 1", "mine/three: 3"}, w.texts(got))
	})

	for name, test := range map[string]struct{ script, says string }{
		"a missing output is an error that says how to write none": {`true`, `the program did not write "out": write the file $DEED_OUT/out, or a directory`},
		"an output that is not declared is an error":               {`cd "$DEED_OUT"; touch out oot`, `$DEED_OUT/"oot" is unknown, did you mean "out"? the step writes "out"`},
		"a symbolic link is refused":                               {`ln -s /etc/passwd "$DEED_OUT/out"`, `"out" is a symbolic link: only files and directories are collected`},
		"a named pipe is refused":                                  {`mkdir "$DEED_OUT/out"; mkfifo "$DEED_OUT/out/pipe"`, `"out/pipe" is a named pipe`},
		"a name that is no text is refused":                        {`mkdir "$DEED_OUT/out"; touch "$DEED_OUT/out/$(printf '\377')"`, `is not text`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.run()
			f := w.failure(job(task.Of(0), shell(test.script), writes("out")))
			assert.Contains(t, f.Error, test.says)
		})
	}

	t.Run("an input whose name is no file name is refused", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		f := w.failure(job(task.Of(0), shell("true"), reads(elements("../in", value("1")))))
		assert.Equal(t, task.Permanent, f.Verdict)
	})

	t.Run("its directory goes even if the program closed it to itself", func(t *testing.T) {
		w := newWorld(t)
		dir := t.TempDir()
		r := w.run(func(o *worker.Options) { o.TempDir = dir })
		w.result(job(task.Of(0), shell(`mkdir -p sub/deeper; touch sub/deeper/file; chmod 0 sub/deeper sub; exit 1`)))
		w.cleaned(r, dir)
	})
}
