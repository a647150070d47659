package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator/process"
)

const (
	quieter = `
deed: v1
name: quieter
inputs: [names]
steps:
  each-name: {process: quiet/process.yaml, each: {name: names}, out: [said]}
outputs: [said]
`
	quietOne = `
deed: v1
name: quiet
inputs: [name]
files: [tone.txt]
steps:
  say: {sh: cat tone.txt "$DEED_IN/name" > "$DEED_OUT/said", each: name, out: [said]}
outputs: [said]
`
)

func TestADefinitionThatNamesOthersIsSentWithTheirTexts(t *testing.T) {
	r := inMemory(t, greeters(nil))
	store := blob.New(r.client.Bucket())
	defer store.Close()
	ref, err := store.Import(t.Context(), strings.NewReader("in a low voice: "))
	require.NoError(t, err)

	alone := wire.Submit{Definition: quieter, Inputs: names("Ann")}
	p := r.refused(http.StatusUnprocessableEntity, wire.CodeFaults, http.MethodPost, "/v1/processes", alone)
	require.Contains(t, p.Detail, `the definition "quiet/process.yaml", which this step names, was not given`)

	job := wire.Submit{ID: "quieter-1", Definition: quieter, Named: map[string]string{"quiet/process.yaml": quietOne}, Inputs: names("Ann", "Bo")}
	p = r.refused(http.StatusUnprocessableEntity, wire.CodeFaults, http.MethodPost, "/v1/processes", job)
	require.Contains(t, p.Detail, `the file "quiet/tone.txt" of the definition was not given`)

	job.Files = []wire.File{{Name: "quiet/tone.txt", Ref: ref}}
	_, err = r.client.Submit(t.Context(), job)
	require.NoError(t, err)
	require.Equal(t, process.Completed, r.ended("quieter-1").Status)
}
