package worker_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// below lists the files and directories under a directory; directories end in "/".
func below(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && path != dir {
			name := strings.TrimPrefix(path, dir+"/")
			if e.IsDir() {
				name += "/"
			}
			names = append(names, name)
		}
		return err
	}))
	return names
}

func TestAPersonSeesInAWorkspaceWhatTheProgramSees(t *testing.T) {
	w := newWorld(t)
	w.run()
	script := `{ cd "$DEED_IN/.."; find . | LC_ALL=C sort; env | grep -v ^PWD= | grep -v ^OLDPWD= | LC_ALL=C sort; cat task.json work/* in/text; }`
	work := job(task.Of(3, 7), shell(script+` > "$DEED_OUT/out"`), writes("out"),
		reads(elements("text", w.blob("k3", "three.txt", "three\n"), w.blob("k7", "seven.txt", "seven\n")), whole("all", w.blob("a/b", "x", "x"))),
		func(work *task.Work) {
			work.Params = map[string]json.RawMessage{"top": []byte("20")}
			work.Files = []task.File{{Name: "lib.txt", Ref: *w.blob("", "", "library\n").Ref}}
		})
	w.send(work)
	var executed string
	for _, r := range w.results(2) {
		require.Equal(t, task.Done, r.Outcome, "%+v", r.Failure)
		for _, p := range r.Parts {
			if p.Index == 7 {
				executed = w.read(p.Part)
			}
		}
	}

	dir := filepath.Join(t.TempDir(), "try", "it")
	ws, err := worker.LayOut(t.Context(), work, 7, w.blobs, dir)
	require.NoError(t, err)
	require.NoError(t, ws.Missing)
	require.Empty(t, ws.Handler)
	run := exec.Command(ws.Path, ws.Args[1:]...)
	run.Dir, run.Env = ws.Work, ws.Env
	require.NoError(t, run.Run())
	tried, err := os.ReadFile(filepath.Join(ws.Out, "out"))
	require.NoError(t, err)

	executed = regexp.MustCompile(`DEED_GUARD=\w+\n`).ReplaceAllString(executed, "") // by which a worker's programs are found
	_, private, _ := strings.Cut(executed, "DEED_IN=")
	private, _, _ = strings.Cut(private, "/in\n")
	require.NotEqual(t, private, ws.Dir)
	require.Equal(t, strings.ReplaceAll(executed, private, ws.Dir), string(tried))
	require.Contains(t, string(tried), "\nseven\n")
}

func TestAWorkspaceOfAGoHandlerHoldsItsInputsAndTheTask(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	work := job(task.Of(0), reads(elements("text", w.blob("k", "a.txt", "hello")), whole("all", w.blob("a", "x", "x"))), writes("out"))
	ws, err := worker.LayOut(t.Context(), work, 0, w.blobs, dir)
	require.NoError(t, err)
	assert.Equal(t, worker.Workspace{Dir: dir, In: dir + "/in", TaskFile: dir + "/task.json", Handler: "h"}, *ws)
	assert.Equal(t, []string{"in/", "in/all/", "in/all/a/", "in/all/a/x", "in/text", "task.json"}, below(t, dir))
}

func TestAWorkspaceIsOnlyMadeInAnEmptyDirectoryAndLeavesNothingWhenItFails(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	gone := w.blob("", "", "x")
	gone.Ref.Key += "-gone"
	_, err := worker.LayOut(t.Context(), job(task.Of(0), shell("true"), reads(elements("in", gone))), 0, w.blobs, dir)
	require.ErrorContains(t, err, `lay out p/step[0]: prepare the inputs of the program: input "in": open blob`)
	require.Empty(t, below(t, dir))
	_, err = worker.LayOut(t.Context(), job(task.Of(0, 2), shell("true")), 1, w.blobs, dir)
	require.ErrorContains(t, err, `lay out task 1 of "step": the step has no such task`)
	_, err = worker.LayOut(t.Context(), job(task.Of(0), func(work *task.Work) { work.Run = task.Run{} }), 0, w.blobs, dir)
	require.ErrorContains(t, err, "names neither a handler nor a program")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600))
	_, err = worker.LayOut(t.Context(), job(task.Of(0), shell("true")), 0, w.blobs, dir)
	require.ErrorContains(t, err, "is not empty: name another, or empty it")
	require.Equal(t, []string{"mine"}, below(t, dir))
}

func TestAProgramThatIsNotInstalledHereIsSaidAndTheRestLaidOut(t *testing.T) {
	w := newWorld(t)
	ws, err := worker.LayOut(t.Context(), job(task.Of(0), command("no-such-program", "-x"), reads(whole("in"))), 0, w.blobs, t.TempDir())
	require.NoError(t, err)
	require.ErrorContains(t, ws.Missing, `run "no-such-program": it is not in the PATH of the worker`)
	require.Equal(t, []string{"no-such-program", "-x"}, ws.Args)
	require.DirExists(t, ws.In+"/in")
}
