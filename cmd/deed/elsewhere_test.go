package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/cloudtest"
)

func TestInputsInABucketAreReadThereAndOutputsAreWrittenToOne(t *testing.T) {
	server := cloudtest.S3(t)
	bucket := server.Bucket(t)
	raw := server.Raw(t, bucket)
	write := func(key, text string) { require.NoError(t, raw.WriteAll(t.Context(), key, []byte(text), nil)) }
	at := func(path string) string { return strings.Replace(server.URL(bucket), "?", "/"+path+"?", 1) }
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "p.yaml"), []byte(`
deed: v1
name: shout
inputs: [x]
steps:
  loud: {sh: 'tr a-z A-Z < "$DEED_IN/x" > "$DEED_OUT/y"', each: x, out: [y]}
outputs: [y]
`), 0o600))
	run := func(args ...string) (string, error) {
		out, err := deedCommand(t, dir, args...).CombinedOutput()
		return string(out), err
	}

	write("in/a.txt", "one")
	write("in/sub/b.txt", "two")
	write("results/y/a.txt", "of an earlier run")
	write("results/other", "stays")
	job := []string{"run", "p.yaml", "--in", "x=" + at("in/"), "--id", "p", "--out", at("results")}
	out, err := run(append(job, "-o", "json")...)
	require.NoError(t, err, out)
	var printed struct{ Outputs []string }
	_, object, _ := strings.Cut(out, "{") // after what people read
	require.NoError(t, json.Unmarshal([]byte("{"+object), &printed), out)
	require.Equal(t, []string{at("results/y/a.txt"), at("results/y/sub/b.txt")}, printed.Outputs)
	for key, text := range map[string]string{"results/y/a.txt": "ONE", "results/y/sub/b.txt": "TWO", "results/other": "stays"} {
		got, err := raw.ReadAll(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, text, string(got), key)
	}
	require.NoDirExists(t, filepath.Join(dir, ".deed", "blobs", "sha256"), "nothing was copied")
	history, err := run("history", "p", "-o", "json")
	require.NoError(t, err, history)
	require.Contains(t, history, "s3://"+bucket+"/in/a.txt?endpoint=")
	for _, value := range server.Env() {
		if name, secret, _ := strings.Cut(value, "="); strings.Contains(name, "KEY") {
			require.NotContains(t, history, `"`+secret, name)
		}
	}

	write("in/sub/b.txt", "owt")
	out, err = run("restart", "p", "--from", "loud")
	require.Error(t, err)
	require.Contains(t, out, "s3://"+bucket+"/in/sub/b.txt changed since it was submitted: its ETag was ")
	out, err = run(job...)
	require.Error(t, err)
	require.Contains(t, out, "input x: other content")
	job[5] = "q"
	out, err = run(job...)
	require.NoError(t, err, out)
	out, err = run("wait", "q", "--out", at("again"))
	require.NoError(t, err, out)
	got, err := raw.ReadAll(t.Context(), "again/y/sub/b.txt")
	require.NoError(t, err)
	require.Equal(t, "OWT", string(got))
	out, err = run("run", "p.yaml", "--in", "x="+at("nothing/"), "--id", "n")
	require.Error(t, err)
	require.Contains(t, out, "nothing is there")
}
