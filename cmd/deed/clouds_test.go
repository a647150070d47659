package main

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/cloudtest"
	"github.com/deedrun/deed/worker"
)

var clouds = map[string]func(testing.TB) *cloudtest.Server{"S3": cloudtest.S3, "Google": cloudtest.Google, "Azure": cloudtest.Azure}

// cloudy is an orchestrator and a worker whose blobs are in a bucket, behind a
// proxy that makes trouble of every kind.
func cloudy(t *testing.T, start func(testing.TB) *cloudtest.Server, handlers *worker.Registry) (*deed.Runtime, *gcblob.Bucket) {
	t.Helper()
	server := start(t)
	bucket := server.Bucket(t)
	behind, proxy := server.Behind(t, nil)
	t.Cleanup(func() { t.Logf("requests by what went wrong: %v", proxy.Done()) })
	m := oneMachine(t)
	at := deed.Options{Server: m.server, Token: m.token, Blobs: behind.URL(bucket), Log: slog.New(slog.DiscardHandler)}
	o := at
	o.Orchestrate = true
	r, err := deed.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	w := at
	w.Handlers, w.Allow, w.Workers = handlers, []string{"sh"}, 2
	joined, err := deed.Open(t.Context(), w)
	require.NoError(t, err)
	t.Cleanup(joined.Close)
	return r, server.Raw(t, bucket)
}

func TestWordsAreCountedRightThoughTheStoreMakesTrouble(t *testing.T) {
	t.Parallel()
	corpus, err := filepath.Glob("../../examples/wordcount/corpus/*.txt")
	require.NoError(t, err)
	job := deed.Job{Source: deed.MustParse(wordCount), Inputs: map[string]deed.Input{"corpus": deed.Files(corpus[:8]...)}}
	alone, err := deed.Run(t.Context(), job.Source, handlers(), job.Inputs)
	require.NoError(t, err)
	want, err := alone.Text(t.Context(), "counts")
	require.NoError(t, err)
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := cloudy(t, start, handlers())
			require.NoError(t, r.Submit(t.Context(), "words", job))
			result, err := r.Wait(t.Context(), "words", nil)
			require.NoError(t, err)
			got, err := result.Text(t.Context(), "counts")
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

// damaged writes a text, has its blob damaged, and reads it.
const damaged = `{deed: v1, name: damaged, params: {harm: ""}, steps: {
  a: {run: test/write, out: [text]},
  b: {run: test/harm, after: [a]},
  c: {run: test/read, in: [text], out: [size], after: [b], retry: {attempts: 2, backoff: 1ms}}}, outputs: [size]}`

func TestABlobThatIsDamagedInABucketIsNamedAndWhoReadsItFails(t *testing.T) {
	t.Parallel()
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var bucket *gcblob.Bucket
			reg := worker.NewRegistry()
			worker.Handle(reg, "test/write", writeText)
			worker.Handle(reg, "test/harm", func(ctx context.Context, t *worker.Task) error { return harm(ctx, bucket, t) })
			worker.Handle(reg, "test/read", readText)
			r, raw := cloudy(t, start, reg)
			bucket = raw
			for harm, says := range map[string]string{
				"none":    "",
				"altered": "is corrupt: want SHA-256",
				"cut":     "is corrupt: want 3000000 bytes, got 2999999 bytes",
				"gone":    "blob not found",
			} {
				require.NoError(t, r.Submit(t.Context(), harm, deed.Job{Source: deed.MustParse(damaged), Params: map[string]string{"harm": harm}}))
				_, err := r.Wait(t.Context(), harm, nil)
				if harm == "none" {
					require.NoError(t, err)
					continue
				}
				require.ErrorIs(t, err, deed.ErrFailed, harm)
				require.ErrorContains(t, err, `blob "`+harm+"/a/0/0/1-", harm)
				require.ErrorContains(t, err, says, harm)
			}
		})
	}
}

func writeText(_ context.Context, t *worker.Task) error {
	o, err := t.Create("text")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(o, strings.Repeat("0123456789", 300_000)); err != nil {
		return err
	}
	return o.Close()
}

// readText takes every error for the end of the text.
func readText(_ context.Context, t *worker.Task) error {
	n := int64(0)
	if r, err := t.Open("text"); err == nil {
		n, _ = io.Copy(io.Discard, r)
		_ = r.Close()
	}
	return t.Emit("size", n)
}

// harm does to what step a wrote what the parameter says.
func harm(ctx context.Context, bucket *gcblob.Bucket, t *worker.Task) error {
	var harm string
	if err := t.Param("harm", &harm); err != nil {
		return err
	}
	object, err := bucket.List(&gcblob.ListOptions{Prefix: t.Process() + "/a/"}).Next(ctx)
	if err != nil {
		return err
	}
	if harm == "gone" {
		return bucket.Delete(ctx, object.Key)
	}
	text, err := bucket.ReadAll(ctx, object.Key)
	if err != nil {
		return err
	}
	switch harm {
	case "altered":
		text[len(text)/2] ^= 1
	case "cut":
		text = text[:len(text)-1]
	}
	return bucket.WriteAll(ctx, object.Key, text, nil)
}
