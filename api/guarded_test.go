package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/task"
)

// guests are those whom a server lets in, by the tokens that they show. Some may
// be shown out.
type guests struct {
	mu    sync.Mutex
	known map[string]access.Principal
}

func (g *guests) Authenticate(_ context.Context, token string) (access.Principal, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if who, ok := g.known[token]; ok {
		return who, nil
	}
	return access.Principal{}, access.ErrUnknown
}

func (g *guests) showOut(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.known, token)
}

// invited are a viewer, an operator and an admin of everything, and an operator
// and an admin of each of two teams.
func invited() *guests {
	g := &guests{known: map[string]access.Principal{}}
	for _, role := range []wire.Role{wire.Viewer, wire.Operator, wire.Admin} {
		g.known[string(role)] = access.Principal{Name: "the-" + string(role), Token: string(role), Role: role}
	}
	for _, team := range []string{"ours", "theirs"} {
		scope := []string{team + "-*"}
		g.known[team] = access.Principal{Name: team + "-ci", Token: team, Role: wire.Operator, Processes: scope}
		g.known[team+"-viewer"] = access.Principal{Name: team + "-eyes", Token: team + "-viewer", Role: wire.Viewer, Processes: scope}
		g.known[team+"-admin"] = access.Principal{Name: team + "-boss", Token: team + "-admin", Role: wire.Admin, Processes: scope}
	}
	return g
}

// guarded serves a runtime to whoever shows a token.
func guarded(t *testing.T, r *deed.Runtime, g *guests) *rig {
	t.Helper()
	return over(t, r, func(o *api.Options) { o.Access, o.RequireToken = g, true })
}

// as is the same server, asked with a token.
func (r *rig) as(token string) *rig {
	r.Helper()
	other := *r
	other.token = token
	var err error
	other.client, err = client.New(r.url, client.Options{Token: token})
	require.NoError(r, err)
	r.Cleanup(other.client.Close)
	return &other
}

// on is the rig of a subtest.
func (r *rig) on(t *testing.T) *rig {
	t.Helper()
	other := *r
	other.T = t
	return &other
}

// loud is a definition of a name, whose processes write a blob and print a line.
func loud(name string) string {
	return `
deed: v1
name: ` + name + `
inputs: [texts]
files: [tone.txt]
steps:
  shout:
    sh: cat tone.txt; tr a-z A-Z < "$DEED_IN/texts" > "$DEED_OUT/loud"
    each: texts
    out: [loud]
outputs: [loud]
`
}

// stored is a text that is stored as an input.
func (r *rig) stored(text string) task.Ref {
	r.Helper()
	store := blob.New(r.client.Bucket())
	defer store.Close()
	ref, err := store.Import(r.Context(), strings.NewReader(text))
	require.NoError(r, err)
	return ref
}

// shouts starts a process of a definition, and waits for its end.
func (r *rig) shouts(id, definition string) {
	r.Helper()
	tone := r.stored("in a loud voice\n")
	_, err := r.client.Submit(r.Context(), wire.Submit{
		ID: id, Definition: loud(definition), Inputs: map[string]wire.Input{"texts": {Parts: []task.Part{{Ref: &tone}}}}, Files: []wire.File{{Name: "tone.txt", Ref: tone}},
	})
	require.NoError(r, err)
	require.True(r, r.ended(id).Ended())
}

// until reads a stream up to what it is waited for, or to its end.
func (r *rig) until(path, until string) string {
	r.Helper()
	resp := r.open(http.MethodGet, path, nil)
	defer resp.Body.Close()
	var all strings.Builder
	for piece := make([]byte, 4096); !strings.Contains(all.String(), until); {
		n, err := resp.Body.Read(piece)
		all.Write(piece[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(r, err)
	}
	return all.String()
}
