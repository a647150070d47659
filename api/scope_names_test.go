package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Earlier versions started processes with the ID that a folder of the blob store
// has. That makes what lies there no more theirs than it was.
func TestAProcessWithTheNameOfAFolderOpensNothingInIt(t *testing.T) {
	r := tenants(t)
	theirs := r.as("theirs").stored("a secret of theirs")
	require.NoError(t, r.runtime.Blobs.StoreNamed(t.Context(), "renewed/"+theirs.Key, nil))
	require.NoError(t, r.runtime.Blobs.StoreNamed(t.Context(), "views/processes/1/1", []byte("x")))
	require.NoError(t, r.runtime.Blobs.StoreNamed(t.Context(), "snapshots/theirs-1/00000000000000000001", []byte("x")))
	ours := r.as("ours")
	folders := []string{"sha256", "inputs", "renewed", "logs", "archives", "snapshots", "views", "sweeping"}
	for _, id := range folders {
		r.started(id, "ours-1")
		require.NoError(t, r.runtime.Blobs.StoreNamed(t.Context(), id+"/shout/0/0/1-abc/0", []byte("ours")))
		require.NoError(t, r.runtime.Blobs.StoreNamed(t.Context(), "logs/"+id+"/shout/0/0/1-abc/000000.log", []byte("ours")))
	}
	for _, id := range folders {
		for _, prefix := range []string{id + "/", id + "/" + theirs.Key[7:9], id + "/sha256/", id + "/theirs-1/"} {
			for _, delimiter := range []string{"", "/", "a", "-"} {
				var page wire.Blobs
				ours.ask(http.StatusOK, &page, http.MethodGet, fmt.Sprintf("/v1/blobs?prefix=%s&delimiter=%s", prefix, delimiter), nil)
				for _, b := range page.Blobs {
					kind, of := blob.Classify(b.Key)
					if !b.Folder {
						require.Contains(t, append(folders, "ours-1"), of, "%q %q: %s of %s", prefix, delimiter, b.Key, kind)
					}
					require.NotContains(t, b.Key, "theirs")
					require.NotContains(t, b.Key, theirs.SHA256[2:20])
				}
			}
		}
		require.Equal(t, http.StatusOK, ours.do(http.MethodGet, "/v1/blobs/"+id+"/shout/0/0/1-abc/0", nil).status, "what is one's own is there")
	}
}

// started is a process as if an earlier version had started it: as another one
// was, under an ID that this one refuses.
func (r *rig) started(id, like string) {
	r.Helper()
	c, _, err := r.runtime.Events.Last(r.Context(), "process-"+like)
	require.NoError(r, err)
	for first, err := range r.runtime.Events.ReadCommits(r.Context(), "process-"+like, 0) {
		require.NoError(r, err)
		c = first
		break
	}
	start := c.Events[0]
	start.Data = []byte(strings.ReplaceAll(string(start.Data), `"id":"`+like+`"`, `"id":"`+id+`"`))
	_, err = r.runtime.Events.Append(r.Context(), "process-"+id, events.NoStream(), "c-"+id, start)
	require.NoError(r, err)
}

func TestWhatIsWrongWithAStartIsSaidAndNotThatItsIDIsTaken(t *testing.T) {
	r := tenants(t)
	start := process.StartProcess{ID: "ours-9", Definition: definitionOf(t, r, "ours-1")}
	encoded, err := process.EncodeCommand(start)
	require.NoError(t, err)
	p := r.as("ours").refused(http.StatusConflict, wire.CodeRefused, http.MethodPost, "/v1/processes/ours-9/commands", string(encoded))
	require.Contains(t, p.Detail, `input "texts" is not given`)
	start.ID = "sweeping"
	encoded, err = process.EncodeCommand(start)
	require.NoError(t, err)
	p = r.as("ours").refused(http.StatusConflict, wire.CodeRefused, http.MethodPost, "/v1/processes/sweeping/commands", string(encoded))
	require.Contains(t, p.Detail, "choose another ID")
}

// What a program makes up is decided on by everybody's orchestrators.
func TestADefinitionThatNoParserMadeEndsNoOrchestrator(t *testing.T) {
	r := tenants(t)
	texts := task.Inline([]task.Part{{Value: []byte(`"a"`)}})
	tried := 0
	for name, change := range map[string]func(*definition.Step){
		"an address of deed's own": func(s *definition.Step) { s.Address = "deed/seal/loud" },
		"a handler of deed's own":  func(s *definition.Step) { s.Run = task.Run{Handler: "deed/seal"} },
		"a pool that is a subject": func(s *definition.Step) { s.Pool = ">" },
		"fewer than no buckets":    func(s *definition.Step) { s.Each.ByKey, s.Each.Into = true, -5 },
		"no room at all":           func(s *definition.Step) { s.Parallelism = -1 },
		"an address that climbs":   func(s *definition.Step) { s.Address = "../../theirs-1" },
	} {
		def := definitionOf(t, r, "ours-1")
		def.Steps = []definition.Step{def.Steps[0]}
		each := *def.Steps[0].Each
		def.Steps[0].Each = &each
		change(&def.Steps[0])
		tried++
		id := fmt.Sprint("odd-", tried)
		encoded, err := process.EncodeCommand(process.StartProcess{ID: id, Definition: def, Inputs: map[string]task.Dataset{"texts": texts}})
		require.NoError(t, err)
		a := r.as("ours").do(http.MethodPost, "/v1/processes/"+id+"/commands", string(encoded))
		require.Less(t, a.status, 500, "%s: %s", name, a.body)
		_ = r.as("ours").do(http.MethodPost, "/v1/processes/"+id+"/cancel", "{}")
	}
	r.as("theirs").shouts("theirs-3", "theirs-loud") // which the same orchestrators go on with
}
