// Package logs tests the definition of this folder against an independent
// computation.
package logs

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/examples/logs/visits"
	"github.com/deedrun/deed/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const right = "all of it is as computed from the logs\n"

func TestSessionsAndTopListsAreThoseOfAnIndependentComputation(t *testing.T) {
	t.Run("over the sample", func(t *testing.T) {
		out, err := run(t, "sample", nil)
		require.NoError(t, err)
		said, err := check(t, "sample", out)
		require.NoError(t, err, said)
		require.True(t, strings.HasSuffix(said, right), said)
		readme := read(t, "README.md")
		for _, name := range []string{"summary", "top/pages/top.csv", "top/referrers/top.csv"} {
			require.Contains(t, readme, strings.TrimSpace(read(t, filepath.Join(out, filepath.FromSlash(name)))), "the README shows what comes out")
		}
	})
	t.Run("however small the pieces are", func(t *testing.T) {
		some := folder(t, "sample/web1/access-2026-11-1[01].log.gz", "sample/web2/access-2026-11-10.log.gz")
		out, err := run(t, some, map[string]string{"size": "3KB"})
		require.NoError(t, err)
		said, err := check(t, some, out)
		require.NoError(t, err, said)
	})
	t.Run("a result that is wrong is found", func(t *testing.T) {
		some := folder(t, "sample/web1/access-2026-11-10.log.gz")
		out, err := run(t, some, nil)
		require.NoError(t, err)
		sessions := filepath.Join(out, "sessions")
		require.NoError(t, os.WriteFile(sessions, []byte(strings.Replace(read(t, sessions), "/bread/", "/beans/", 1)), 0o600))
		said, err := check(t, some, out)
		require.Error(t, err)
		require.Contains(t, said, "differs: sessions")
	})
}

func TestALogWithoutAFaultHasNothingToComplainAbout(t *testing.T) {
	dir := t.TempDir()
	compress(t, filepath.Join(dir, "web1", "a.log.gz"),
		`192.0.2.7 - - [14/Nov/2026:06:25:24 +0000] "GET / HTTP/1.1" 200 5316 "-" "Firefox"`+"\n")
	out, err := run(t, dir, nil)
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(out, "unreadable-lines"))
	require.JSONEq(t, `{"sessions": 1, "visitors": 1, "pages": 1, "single": 1, "seconds": 0}`, read(t, filepath.Join(out, "summary")))
}

func TestALogThatIsNotCompressedEndsTheProcessAndIsNamed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "web1"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "web1", "a.log"), []byte("192.0.2.7 - - and so on"), 0o600))
	_, err := run(t, dir, nil)
	require.ErrorContains(t, err, "web1/a.log: it is no gzip")
}

func TestTheSampleIsWhatTheGeneratorMakes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir := t.TempDir()
	said, err := exec.CommandContext(t.Context(), "go", "run", "./generate", dir).CombinedOutput()
	require.NoError(t, err, "%s", said)
	sample, made := expanded(t, "sample"), expanded(t, dir)
	require.Len(t, made, 14)
	require.Equal(t, sample, made)
}

// run executes the definition in memory; out is the folder of its outputs.
func run(t *testing.T, logs string, params map[string]string) (out string, err error) {
	t.Helper()
	handlers := worker.NewRegistry()
	visits.Register(handlers)
	r, err := deed.Open(t.Context(), deed.Options{Handlers: handlers})
	require.NoError(t, err)
	defer r.Close()
	source, err := deed.ParseFile("process.yaml")
	require.NoError(t, err)
	job := deed.Job{Source: source, Params: params, Inputs: map[string]deed.Input{"logs": deed.Files(logs)}}
	require.NoError(t, r.Submit(t.Context(), "test", job))
	result, err := r.Wait(t.Context(), "test", nil)
	if err != nil {
		return "", err
	}
	out = t.TempDir()
	_, err = result.Export(t.Context(), out)
	return out, err
}

// check is what the independent computation says of outputs.
func check(t *testing.T, logs, out string) (said string, err error) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("the independent computation needs python3")
	}
	output, err := exec.CommandContext(t.Context(), "python3", "check.py", logs, out).CombinedOutput()
	return string(output), err
}

// folder is one with some of the sample.
func folder(t *testing.T, patterns ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.FromSlash(pattern))
		require.NoError(t, err)
		require.NotEmpty(t, names)
		for _, name := range names {
			to := filepath.Join(dir, filepath.Base(filepath.Dir(name)), filepath.Base(name))
			require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o700))
			require.NoError(t, os.WriteFile(to, []byte(read(t, name)), 0o600))
		}
	}
	return dir
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

func compress(t *testing.T, name, text string) {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(name, b.Bytes(), 0o600))
}

// expanded are the logs of a folder: how they are compressed may differ from one
// version of Go to the next.
func expanded(t *testing.T, dir string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		r, err := gzip.NewReader(strings.NewReader(read(t, path)))
		if err != nil {
			return err
		}
		text, err := io.ReadAll(r)
		name, relErr := filepath.Rel(dir, path)
		assert.NoError(t, relErr)
		texts[name] = string(text)
		return err
	})
	require.NoError(t, err)
	return texts
}
