package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

func TestATokenStartsOnlyProcessesThatItSees(t *testing.T) {
	r := tenants(t).as("ours")
	other := strings.Replace(hello, "name: hello", "name: theirs-hello", 1)
	p := r.refused(http.StatusForbidden, wire.CodeForbidden, http.MethodPost, "/v1/processes", wire.Submit{ID: "x", Definition: other, Inputs: names("Ann")})
	require.Contains(t, p.Detail, "ours-*")
	r.refused(http.StatusForbidden, wire.CodeForbidden, http.MethodPost, "/v1/processes/ours-1/definition", wire.Revision{Definition: other})
	def := definitionOf(t, r, "ours-1")
	for _, name := range []string{"theirs-loud", ""} {
		def.Name = name
		for _, c := range []process.Command{process.StartProcess{ID: "ours-1", Definition: def}, process.ReviseProcess{Definition: def}} {
			encoded, err := process.EncodeCommand(c)
			require.NoError(t, err)
			r.refused(http.StatusForbidden, wire.CodeForbidden, http.MethodPost, "/v1/processes/ours-1/commands", string(encoded))
		}
	}
}

func TestAnIDThatAnotherTeamHasIsTakenAndNothingMoreIsSaid(t *testing.T) {
	r := tenants(t)
	ours := r.as("ours")
	mine := wire.Submit{ID: another, Definition: strings.Replace(hello, "name: hello", "name: ours-hello", 1), Inputs: names("Ann")}
	encoded, err := process.EncodeCommand(process.StartProcess{ID: another, Definition: definitionOf(t, r, "ours-1")})
	require.NoError(t, err)
	refused := func() {
		p := ours.refused(http.StatusConflict, wire.CodeRefused, http.MethodPost, "/v1/processes", mine)
		require.Equal(t, `the ID "theirs-1" is taken: choose another`, p.Detail)
		require.Empty(t, p.Differs)
		raw := ours.refused(http.StatusConflict, wire.CodeRefused, http.MethodPost, "/v1/processes/"+another+"/commands", string(encoded))
		require.Equal(t, p, raw)
	}
	refused()
	_, err = r.as("theirs").client.Archive(t.Context(), another, wire.Asked{Reason: "a secret reason"})
	require.NoError(t, err)
	refused()
	_, err = r.as("theirs-admin").client.RemoveArchive(t.Context(), another, wire.Asked{Reason: "a secret reason"})
	require.NoError(t, err)
	refused()
}

// overtaken brings a start of another team just before each command.
type overtaken struct {
	orchestrator.Via
	other process.StartProcess
}

func (o overtaken) Send(ctx context.Context, id string, c process.Command) (orchestrator.Answer, error) {
	if _, err := o.Via.Send(ctx, id, o.other); err != nil {
		return orchestrator.Answer{}, err
	}
	return o.Via.Send(ctx, id, c)
}

func TestAnIDThatAnotherTeamTakesMeanwhileIsTakenAndNothingMoreIsSaid(t *testing.T) {
	r := tenants(t)
	other, err := r.as("theirs").from().Prepare(t.Context(), "new-1", job(t, strings.Replace(hello, "name: hello", "name: theirs-hello", 1), "Ann"), nil)
	require.NoError(t, err)
	behind := &deed.Runtime{
		Client: &orchestrator.Client{Events: r.runtime.Events, Archive: r.runtime.Archive, Via: overtaken{r.runtime.Client, other}}, Blobs: r.runtime.Blobs,
	}
	mine := wire.Submit{ID: "new-1", Definition: strings.Replace(hello, "name: hello", "name: ours-hello", 1), Inputs: names("Ann")}
	p := guarded(t, behind, invited()).as("ours").refused(http.StatusConflict, wire.CodeRefused, http.MethodPost, "/v1/processes", mine)
	require.Equal(t, `the ID "new-1" is taken: choose another`, p.Detail)
	require.Empty(t, p.Differs)
}
