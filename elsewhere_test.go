package deed_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// shout is a process that writes each of its texts in capitals, and its handler.
func shout() (*definition.Source, *worker.Registry) {
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "test/shout", func(_ context.Context, t *worker.Task) error {
		in, err := t.Open("texts")
		if err != nil {
			return err
		}
		defer in.Close()
		text, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		return t.Emit("loud", strings.ToUpper(string(text)))
	})
	return deed.MustParse("deed: v1\nname: shout\ninputs: [texts]\nsteps:\n  shout: {run: test/shout, each: texts, out: [loud]}\noutputs: [loud]\n"), handlers
}

// twoTexts are two files in a new folder.
func twoTexts(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("one"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b"), []byte("two"), 0o600))
	return dir
}

func shouted(t *testing.T, result *deed.Result) (all string) {
	t.Helper()
	for p, err := range result.Parts(t.Context(), "loud") {
		require.NoError(t, err)
		all += string(p.Value)
	}
	return all
}

func TestLinkedFilesAreReadWhereTheyLieAndNotCopied(t *testing.T) {
	source, handlers := shout()
	in, dir := twoTexts(t), t.TempDir()
	r, err := deed.Open(t.Context(), deed.Options{Dir: dir, Handlers: handlers})
	require.NoError(t, err)
	defer r.Close()
	job := deed.Job{Source: source, Inputs: map[string]deed.Input{"texts": deed.Linked(in)}}
	require.NoError(t, r.Submit(t.Context(), "first", job))
	result, err := r.Wait(t.Context(), "first", nil)
	require.NoError(t, err)
	require.Equal(t, `"ONE""TWO"`, shouted(t, result))
	require.NoDirExists(t, filepath.Join(dir, "blobs", "sha256"), "no content was stored")

	start, err := r.Prepare(t.Context(), "second", job, nil)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(in, "b"), []byte("too"), 0o600))
	_, err = r.Start(t.Context(), start)
	require.NoError(t, err)
	_, err = r.Wait(t.Context(), "second", nil)
	require.ErrorIs(t, err, deed.ErrFailed)
	require.ErrorContains(t, err, "file://"+filepath.Join(in, "b")+" changed since it was submitted")
	require.ErrorContains(t, err, "attempt 1")
}

func TestWhatWasLinkedInAFolderIsReadByWhoeverGoesOnWithIt(t *testing.T) {
	source, handlers := shout()
	in, dir := twoTexts(t), t.TempDir()
	r, err := deed.Open(t.Context(), deed.Options{Dir: dir}) // it executes nothing
	require.NoError(t, err)
	err = r.Submit(t.Context(), "p", deed.Job{Source: source, Inputs: map[string]deed.Input{"texts": deed.Linked(in)}})
	r.Close()
	require.NoError(t, err)

	next, err := deed.Open(t.Context(), deed.Options{Dir: dir, Handlers: handlers})
	require.NoError(t, err)
	defer next.Close()
	result, err := next.Wait(t.Context(), "p", nil)
	require.NoError(t, err)
	require.Equal(t, `"ONE""TWO"`, shouted(t, result))
}

func TestNobodyReadsWithAReferenceWhatWasNotGivenToTheFolder(t *testing.T) {
	source, handlers := shout()
	in := twoTexts(t)
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("key"), 0o600))
	require.NoError(t, os.Symlink(secret, filepath.Join(in, "link")))
	r, err := deed.Open(t.Context(), deed.Options{Dir: t.TempDir(), Handlers: handlers, Read: []string{"file://" + in}})
	require.NoError(t, err)
	defer r.Close()
	def, faults := definition.Resolve(source, nil, nil, nil)
	require.Empty(t, faults)

	run := func(id string, ref task.Ref) (string, error) {
		start, err := r.Prepare(t.Context(), id, deed.Job{Source: source, Inputs: map[string]deed.Input{"texts": deed.Values("x")}}, nil)
		require.NoError(t, err)
		start.Definition = def
		start.Inputs["texts"] = task.Inline([]task.Part{{Ref: &ref}})
		if _, err := r.Start(t.Context(), start); err != nil {
			return "", err
		}
		result, err := r.Wait(t.Context(), id, nil)
		if err != nil {
			return "", err
		}
		return shouted(t, result), nil
	}
	sum := func(text string) string {
		s := sha256.Sum256([]byte(text))
		return hex.EncodeToString(s[:])
	}
	got, err := run("good", task.Ref{URL: "file://" + in + "/a", Size: 3, SHA256: sum("one")})
	require.NoError(t, err)
	require.Equal(t, `"ONE"`, got, "which is allowed")

	key := func(ref task.Ref) task.Ref {
		ref.Size, ref.SHA256 = 3, sum("key")
		return ref
	}
	for id, wicked := range map[string]task.Ref{
		"elsewhere":  key(task.Ref{URL: "file://" + secret}),
		"climbing":   key(task.Ref{URL: "file://" + in + "/../" + filepath.Base(filepath.Dir(secret)) + "/secret"}),
		"escaped":    key(task.Ref{URL: "file://" + in + "/%2e%2e/secret"}),
		"link":       key(task.Ref{URL: "file://" + in + "/link"}),
		"both":       key(task.Ref{Key: "sha256/aa", URL: "file://" + in + "/a"}),
		"by-key":     key(task.Ref{Key: "../../" + secret}),
		"scheme":     key(task.Ref{URL: "http://127.0.0.1/secret"}),
		"unpinned":   {URL: "file://" + in + "/a", Size: 3},
		"by-etag":    {URL: "file://" + in + "/a", Size: 3, ETag: "e"},
		"bucket":     {URL: "s3://bucket/secret", Size: 3, ETag: "e"},
		"user":       {URL: "s3://k:s@bucket/secret", Size: 3, ETag: "e"},
		"empty":      {Size: 3},
		"newline":    key(task.Ref{URL: "file://" + in + "/a\n"}),
		"zero":       key(task.Ref{URL: "file://" + in + "/a%00"}),
		"huge":       key(task.Ref{URL: "file://" + in + "/" + strings.Repeat("a", 1<<20)}),
		"a-folder":   key(task.Ref{URL: "file://" + in}),
		"by-the-way": key(task.Ref{URL: "file://" + in + "//a"}),
	} {
		got, err := run(id, wicked)
		require.Error(t, err, id)
		require.Empty(t, got, id)
		require.NotRegexp(t, "attempt [2-9]", err.Error(), "trying again would not help")
	}
}
