package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestBlobsOfAnotherTeamAreLikeThoseThatAreNotThere(t *testing.T) {
	r := tenants(t)
	all, err := r.runtime.Blobs.Names(t.Context(), "")
	require.NoError(t, err)
	kinds, ours := map[blob.Kind]int{}, r.as("ours")
	for _, key := range all {
		kind, of := blob.Classify(key)
		kinds[kind]++
		got := ours.do(http.MethodGet, "/v1/blobs/"+key, nil)
		head := ours.do(http.MethodHead, "/v1/blobs/"+key, nil)
		if of != another {
			require.Equal(t, http.StatusOK, got.status, "%s: inputs by their content, and what is our own", key)
			continue
		}
		missing := strings.Replace(key, another, none, 1)
		alike(t, key, got, ours.do(http.MethodGet, "/v1/blobs/"+missing, nil), another, none)
		require.Equal(t, http.StatusNotFound, got.status)
		require.Equal(t, http.StatusNotFound, head.status)
		require.Equal(t, http.StatusOK, r.as("theirs").do(http.MethodGet, "/v1/blobs/"+key, nil).status)
	}
	require.Positive(t, kinds[blob.KindInput])
	require.Greater(t, kinds[blob.KindData], 1)
	require.Greater(t, kinds[blob.KindLog], 1)

	for prefix, some := range map[string]bool{
		"": false, "sha256/": false, "sha256/a": false, "logs/": false, "ours": false, "ours-1/": true, "logs/ours-1/": true,
		"theirs-1/": false, "logs/theirs-1/": false, "theirs-1/shout/0/": false, "archives/theirs-1.": false, "views/": false, "snapshots/": false, "snapshots/theirs-1/": false,
	} {
		for _, delimiter := range []string{"", "/"} {
			var page wire.Blobs
			ours.ask(http.StatusOK, &page, http.MethodGet, fmt.Sprintf("/v1/blobs?prefix=%s&delimiter=%s", prefix, delimiter), nil)
			require.Equal(t, some, len(page.Blobs) > 0, "%q %q: %v", prefix, delimiter, page.Blobs)
			require.Empty(t, page.Next)
			for _, b := range page.Blobs {
				require.NotContains(t, b.Key, "theirs")
			}
		}
	}
}

func TestViewsAndSnapshotsAreForThoseWhoSeeAll(t *testing.T) {
	r := tenants(t)
	for _, key := range []string{"views/processes/1/1", "snapshots/ours-1/00000000000000000001", "elsewhere"} {
		require.NoError(t, r.runtime.Blobs.StoreNamed(t.Context(), key, []byte("x")))
		r.as("ours-admin").refused(http.StatusNotFound, wire.CodeNoBlob, http.MethodGet, "/v1/blobs/"+key, nil)
		require.Equal(t, http.StatusOK, r.as("viewer").do(http.MethodGet, "/v1/blobs/"+key, nil).status)
	}
}

func TestNobodyStartsWhatReadsTheDataOfAnotherTeam(t *testing.T) {
	r := tenants(t)
	ours := r.as("ours")
	outputs, err := r.as("theirs").client.Show(t.Context(), another, 0)
	require.NoError(t, err)
	stolen := *outputs.Outputs["loud"].Parts[0].Ref
	tone := ours.stored("in a loud voice\n")
	parts := []task.Part{{Ref: &stolen}}
	list, err := r.runtime.Blobs.Dataset(t.Context(), "inputs", append(slices.Repeat([]task.Part{{Ref: &tone}}, 2000), parts...))
	require.NoError(t, err)
	require.NotNil(t, list.Manifest)
	def := definitionOf(t, r, "ours-1")
	start := func(files []task.File, data task.Dataset) process.StartProcess {
		def := def
		def.Files = files
		return process.StartProcess{ID: "ours-9", Definition: def, Inputs: map[string]task.Dataset{"texts": data}}
	}
	good := []task.File{{Name: "tone.txt", Ref: tone}}
	for what, c := range map[string]process.Command{
		"a part":             start(good, task.Dataset{Count: 1, Parts: parts}),
		"a part in a list":   start(good, list),
		"a list of theirs":   start(good, task.Dataset{Count: 1, Manifest: &task.Manifest{Ref: stolen}}),
		"a file":             start([]task.File{{Name: "tone.txt", Ref: stolen}}, task.Dataset{Count: 1, Parts: []task.Part{{Ref: &tone}}}),
		"a file, afterwards": process.ReviseProcess{Definition: start([]task.File{{Name: "tone.txt", Ref: stolen}}, list).Definition},
	} {
		id := "ours-9"
		if _, revises := c.(process.ReviseProcess); revises {
			id = "ours-1"
		}
		encoded, err := process.EncodeCommand(c)
		require.NoError(t, err)
		p := ours.refused(http.StatusUnprocessableEntity, wire.CodeInput, http.MethodPost, "/v1/processes/"+id+"/commands", string(encoded))
		require.Contains(t, p.Detail, `there is no blob "`+stolen.Key+`"`, what)
	}
	submit := wire.Submit{
		ID: "ours-9", Definition: loud("ours-loud"), Inputs: map[string]wire.Input{"texts": {Parts: parts}}, Files: []wire.File{{Name: "tone.txt", Ref: tone}},
	}
	p := ours.refused(http.StatusUnprocessableEntity, wire.CodeInput, http.MethodPost, "/v1/processes", submit)
	ghost := stolen
	ghost.Key = strings.Replace(stolen.Key, another, none, 1)
	submit.Inputs["texts"] = wire.Input{Parts: []task.Part{{Ref: &ghost}}}
	nobody := ours.refused(http.StatusUnprocessableEntity, wire.CodeInput, http.MethodPost, "/v1/processes", submit)
	require.Equal(t, strings.ReplaceAll(nobody.Detail, none, another), p.Detail, "whether it is there is not told")
	version, err := orchestrator.Version(t.Context(), r.runtime.Events, "ours-9")
	require.NoError(t, err)
	require.Zero(t, version)
}

// TestAListIsOfTheDataThatItIsSaidToBe: would it be taken for other data, results
// computed from it would be reused for that.
func TestAListIsOfTheDataThatItIsSaidToBe(t *testing.T) {
	r := tenants(t)
	def := definitionOf(t, r, "ours-1")
	tone := r.as("ours").stored("in a loud voice\n")
	parts := slices.Repeat([]task.Part{{Ref: &tone}}, 2000)
	list, err := r.runtime.Blobs.Dataset(t.Context(), "inputs", parts)
	require.NoError(t, err)
	other, err := r.runtime.Blobs.Dataset(t.Context(), "inputs", parts[1:])
	require.NoError(t, err)
	for what, lie := range map[string]func(d *task.Dataset){
		"the digest of other data": func(d *task.Dataset) { d.Digest = other.Digest },
		"no digest":                func(d *task.Dataset) { d.Digest = "" },
		"more parts":               func(d *task.Dataset) { d.Count++ },
		"more keys":                func(d *task.Dataset) { d.Keys++ },
	} {
		data := list
		lie(&data)
		for _, who := range []string{"operator", "ours"} {
			r := r.as(who)
			encoded, err := process.EncodeCommand(process.StartProcess{ID: "ours-9", Definition: def, Inputs: map[string]task.Dataset{"texts": data}})
			require.NoError(t, err)
			p := r.refused(http.StatusUnprocessableEntity, wire.CodeInput, http.MethodPost, "/v1/processes/ours-9/commands", string(encoded))
			require.Contains(t, p.Detail, "input texts is said to have", "%s, %s", what, who)
		}
	}
	encoded, err := process.EncodeCommand(process.StartProcess{ID: "ours-9", Definition: def, Inputs: map[string]task.Dataset{"texts": list}})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, r.as("ours").do(http.MethodPost, "/v1/processes/ours-9/commands", string(encoded)).status)
}

// definitionOf is the resolved definition of a process.
func definitionOf(t *testing.T, r *rig, id string) definition.Definition {
	t.Helper()
	s, err := orchestrator.Load(t.Context(), r.runtime.Archive, id)
	require.NoError(t, err)
	return *s.Definition
}
