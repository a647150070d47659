package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type described struct {
	OperationID string `json:"operationId"`
	Summary     string
	Parameters  []struct{ Name, In string }
	Responses   map[string]struct{ Content map[string]any }
}

func description(t *testing.T) (raw string, paths map[string]map[string]described) {
	t.Helper()
	r := inMemory(t, nil)
	resp, err := http.Get(r.url + "/v1/openapi.json")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	var text json.RawMessage
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&text))
	var document struct {
		Paths map[string]map[string]described
	}
	require.NoError(t, json.Unmarshal(text, &document))
	return string(text), document.Paths
}

func TestEveryOperationHasANameOfItsOwnForGeneratedClients(t *testing.T) {
	_, paths := description(t)
	named := map[string]string{}
	for path, operations := range paths {
		for method, op := range operations {
			at := strings.ToUpper(method) + " " + path
			assert.NotEmpty(t, op.OperationID, "%s: give it a name in operations.go", at)
			assert.Empty(t, named[op.OperationID], "%s and %s have one name", at, named[op.OperationID])
			named[op.OperationID] = at
			assert.NotEmpty(t, op.Summary, at)
			for segment := range strings.SplitSeq(path, "/") {
				if name, ok := strings.CutPrefix(segment, "{"); ok {
					assert.Contains(t, op.Parameters, struct{ Name, In string }{strings.TrimSuffix(name, "}"), "path"}, at)
				}
			}
			assert.Contains(t, op.Responses["default"].Content, "application/problem+json", "%s: what it answers when it refuses", at)
		}
	}
	require.Greater(t, len(named), 40)
}

func TestTheDescriptionSaysWhatGeneratedClientsRelyOn(t *testing.T) {
	text, paths := description(t)
	assert.Contains(t, text, `"openapi":"3.1.0"`)
	assert.Contains(t, text, `"servers":[`)
	assert.NotContains(t, text, "ErrorModel", "problems have one form")
	submit := paths["/v1/processes"]["post"]
	assert.Equal(t, submit.Responses["201"].Content, submit.Responses["200"].Content, "who submits again attaches")
	watch := paths["/v1/processes/{id}/watch"]["get"]
	assert.Contains(t, watch.Responses["200"].Content, "text/event-stream")
	assert.Contains(t, paths["/v1/blobs/{key}"]["put"].Responses, "201")
}
