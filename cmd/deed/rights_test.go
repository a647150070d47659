package main

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/gc"
	"github.com/deedrun/deed/internal/upkeep"
)

// TestTheRightsThatEachRoleHasInACloudAreThoseThatItNeeds runs an orchestrator
// and a worker on blobs that are guarded by the policies of deploy/aws: whatever
// the one or the other does that its policy does not permit is refused, and what
// it is permitted and never does is more than it needs.
func TestTheRightsThatEachRoleHasInACloudAreThoseThatItNeeds(t *testing.T) {
	guarded.guardBy(t, map[string]string{"orchestrator": deploy("aws", "orchestrator.json"), "worker": deploy("aws", "worker.json")})
	m := oneMachine(t)
	dir := filepath.ToSlash(t.TempDir())
	at := func(role string) deed.Options {
		return deed.Options{Server: m.server, Token: m.token, Blobs: "guarded://" + role + dir}
	}
	o := at("orchestrator")
	o.Orchestrate = true
	r, err := deed.Open(t.Context(), o)
	require.NoError(t, err)
	defer r.Close()
	w := at("worker")
	w.Handlers, w.Allow, w.Workers = handlers(), []string{"sh"}, 2
	worker, err := deed.Open(t.Context(), w)
	require.NoError(t, err)
	defer worker.Close()

	corpus, err := filepath.Glob("../../examples/wordcount/corpus/*.txt")
	require.NoError(t, err)
	words := deed.Job{Source: deed.MustParse(wordCount), Inputs: map[string]deed.Input{"corpus": deed.Files(corpus[:12]...)}}
	again := deed.Job{Source: deed.MustParse(failsOnce), Inputs: map[string]deed.Input{"x": deed.Files(corpus[:3]...)}}
	for id, job := range map[string]deed.Job{"words": words, "again": again} {
		require.NoError(t, r.Submit(t.Context(), id, job))
		_, err := r.Wait(t.Context(), id, nil)
		require.NoError(t, err)
	}
	logs, err := r.Blobs.Logs(t.Context(), "again", "once")
	require.NoError(t, err)
	require.Len(t, logs, 6, "each of three tasks printed at two attempts")
	archived, err := upkeep.Of(r).Archive(t.Context(), "words", wire.Asked{})
	require.NoError(t, err)
	require.True(t, archived.Changed)
	_, err = upkeep.Of(r).RebuildViews(t.Context())
	require.NoError(t, err)
	_, err = gc.Collect(t.Context(), r.Archive, gc.Options{Grace: time.Nanosecond, Delete: true, Now: func() time.Time { return time.Now().Add(24 * time.Hour) }})
	require.NoError(t, err)

	guarded.mu.Lock()
	defer guarded.mu.Unlock()
	require.Empty(t, guarded.faults)
	for role, needed := range guarded.did {
		permitted := map[string]bool{}
		for _, s := range guarded.policies[role].Statement {
			for _, action := range s.Action {
				if s.Effect == "Allow" && action != "s3:AbortMultipartUpload" { // of uploads that fail, which the driver clears up
					permitted[action] = true
				}
			}
		}
		require.Equal(t, slices.Sorted(maps.Keys(needed)), slices.Sorted(maps.Keys(permitted)), role)
	}
}

const wordCount = `{deed: v1, name: words, inputs: [corpus], params: {top: 5}, steps: {
  count: {run: words/count, each: corpus, out: [partial]},
  merge: {run: words/merge, each: partial by key into 8, out: [totals]},
  top: {run: words/top, in: [totals], out: [counts, top]}}, outputs: [counts, top]}`

const failsOnce = `{deed: v1, name: again, inputs: [x], steps: {
  once: {sh: 'echo attempt; cp "$DEED_IN/x" "$DEED_OUT/y"; test "$DEED_ATTEMPT" -gt 1', each: x, out: [y], retry: {attempts: 3, backoff: 1ms}}}, outputs: [y]}`

// What AWS permits and forbids, the other clouds do in words of their own.
func TestTheCloudsPermitTheSame(t *testing.T) {
	of := func(name string, into any) {
		t.Helper()
		require.NoError(t, json.Unmarshal([]byte(readDeploy(t, name)), into), name)
	}
	names := map[string]struct{ google, azure string }{
		"s3:GetObject":    {"storage.objects.get", "read"},
		"s3:ListBucket":   {"storage.objects.list", "read"},
		"s3:PutObject":    {"storage.objects.create", "write"},
		"s3:DeleteObject": {"storage.objects.delete", "delete"},
	}
	for role, files := range map[string][]string{"orchestrator": {"orchestrator"}, "worker": {"worker-reads", "worker-writes"}} {
		var aws policy
		of("aws/"+role+".json", &aws)
		var azure struct{ DataActions []string }
		of("azure/"+role+".json", &azure)
		var google []string
		for _, file := range files {
			var some struct{ IncludedPermissions []string }
			of("google/"+file+".json", &some)
			google = append(google, some.IncludedPermissions...)
		}
		for action, name := range names {
			permitted := aws.allows(action, "arn:aws:s3:::BUCKET") || aws.allows(action, "arn:aws:s3:::BUCKET/p/a/1/0/1-x/0")
			assert.Equal(t, permitted, slices.Contains(google, name.google), "Google, %s: %s", role, action)
			if name.azure != "read" { // there it is also to list
				has := slices.ContainsFunc(azure.DataActions, func(a string) bool { return strings.HasSuffix(a, "/blobs/"+name.azure) })
				assert.Equal(t, permitted, has, "Azure, %s: %s", role, action)
			}
		}
	}
	var aws policy
	of("aws/worker.json", &aws)
	compose := strings.ReplaceAll(readDeploy(t, "compose/bucket-policy.json"), "arn:aws:s3:::deed", "arn:aws:s3:::BUCKET")
	for _, s := range aws.Statement {
		for _, resource := range s.Resource {
			prefix, found := strings.CutPrefix(resource, "arn:aws:s3:::BUCKET/")
			prefix = strings.TrimSuffix(prefix, "*")
			if !found || s.Effect != "Deny" {
				continue
			}
			condition := map[string]string{"s3:PutObject": "writes", "s3:GetObject": "reads"}[s.Action[0]]
			assert.Contains(t, readDeploy(t, "google/worker-"+condition+"-condition.json"), "/objects/"+prefix+"')", condition)
			assert.Contains(t, readDeploy(t, "azure/worker-condition.txt"), "StringNotLike '"+prefix+"*'")
			if condition == "writes" {
				assert.Contains(t, compose, resource)
			}
		}
	}
}
