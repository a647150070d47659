// Package wordcount tests the definitions of this folder against an
// independent count.
package wordcount

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/examples/wordcount/words"
	"github.com/deedrun/deed/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var definitions = []string{"process.yaml", "unix.yaml"}

func TestBothDefinitionsGiveTheAnswerOfAnIndependentCount(t *testing.T) {
	for _, file := range definitions {
		t.Run(file+" over the corpus", func(t *testing.T) {
			texts := "corpus"
			if testing.Short() {
				texts = filepath.Join(texts, "0[1-4]-*.txt")
			}
			counts, top, err := run(t, file, nil, texts)
			require.NoError(t, err)
			assert.Equal(t, python(t, texts), counts)
			assert.Equal(t, python(t, texts, "--top", "20"), top)
		})
		t.Run(file+" over texts without words, without lines, and of other alphabets", func(t *testing.T) {
			texts := folder(t, map[string]string{
				"empty": "", "numbers": "1 2 3\n", "bytes": "\x00\xff\xfe\n\n", "greek": "ἐν ἀρχῇ ἦν ὁ λόγος\n",
				"one": "word", "case": "WORD Word wOrD's\r\nz", "a/one": "word in a folder",
			})
			counts, top, err := run(t, file, map[string]string{"top": "1"}, texts)
			require.NoError(t, err)
			assert.Equal(t, "a\t1\nfolder\t1\nin\t1\ns\t1\nword\t5\nz\t1\n", counts)
			assert.Equal(t, "word\t5\n", top)
			assert.Equal(t, python(t, texts), counts)
		})
		t.Run(file+" over texts none of which has a word gives empty outputs", func(t *testing.T) {
			counts, top, err := run(t, file, nil, folder(t, map[string]string{"empty": "", "numbers": "1 2"}))
			require.NoError(t, err)
			assert.Empty(t, counts)
			assert.Empty(t, top)
		})
	}
}

func TestWhatCannotBeCountedFailsTheProcessWithItsReason(t *testing.T) {
	t.Run("a parameter that is no number of words", func(t *testing.T) {
		_, _, err := run(t, "process.yaml", map[string]string{"top": "-1"}, folder(t, map[string]string{"a": "word"}))
		require.ErrorContains(t, err, "the parameter top is -1: give a number from 0 on")
	})
	t.Run("an input that is no text", func(t *testing.T) {
		_, _, err := run(t, "process.yaml", nil, folder(t, map[string]string{"a": strings.Repeat("a", words.MaxWord+1)}))
		require.ErrorContains(t, err, "this is no text")
	})
}

func TestAWorkerOfOnesOwnDoesTheWork(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "worker"), "./worker")
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)

	r, err := deed.Open(t.Context(), deed.Options{Dir: filepath.Join(dir, ".deed")}) // orchestrates, does not work
	require.NoError(t, err)
	defer r.Close()
	other := exec.Command("./worker")
	other.Dir, other.Stderr = dir, os.Stderr
	require.NoError(t, other.Start())

	defer other.Process.Kill() // in case the test ends early

	result, err := process(t, r, "process.yaml", nil, "corpus/0[1-4]-*.txt")
	require.NoError(t, err)
	require.NoError(t, other.Process.Signal(syscall.SIGTERM))
	require.NoError(t, other.Wait(), "a worker that is stopped leaves in good order")
	counts, err := result.Text(t.Context(), "counts")
	require.NoError(t, err)
	assert.Equal(t, python(t, "corpus/0[1-4]-*.txt"), counts)
}

// run executes a definition in memory and returns its outputs.
func run(t *testing.T, file string, params map[string]string, texts string) (counts, top string, err error) {
	t.Helper()
	handlers := worker.NewRegistry()
	words.Register(handlers)
	r, err := deed.Open(t.Context(), deed.Options{Handlers: handlers})
	require.NoError(t, err)
	defer r.Close()
	result, err := process(t, r, file, params, texts)
	if err != nil {
		return "", "", err
	}
	counts, err = result.Text(t.Context(), "counts")
	require.NoError(t, err)
	top, err = result.Text(t.Context(), "top")
	require.NoError(t, err)
	return counts, top, nil
}

// process runs a definition in a runtime to its end.
func process(t *testing.T, r *deed.Runtime, file string, params map[string]string, texts string) (*deed.Result, error) {
	t.Helper()
	source, err := deed.ParseFile(file)
	require.NoError(t, err)
	job := deed.Job{Source: source, Params: params, Inputs: map[string]deed.Input{"corpus": deed.Files(texts)}}
	require.NoError(t, r.Submit(t.Context(), "test", job))
	return r.Wait(t.Context(), "test", nil)
}

// python is the independent count.
func python(t *testing.T, texts string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("the independent count needs python3")
	}
	paths, err := filepath.Glob(texts)
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	output, err := exec.CommandContext(t.Context(), "python3", append(append([]string{"count.py"}, args...), paths...)...).Output()
	require.NoError(t, err)
	return string(output)
}

func folder(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		file := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return dir
}
