package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/internal/upkeep"
	"github.com/deedrun/deed/task"
)

// office issues a token through a server that asks for none.
func (r *rig) office(wish wire.NewToken) wire.IssuedToken {
	r.Helper()
	issued, err := r.client.IssueToken(r.Context(), wish)
	require.NoError(r, err)
	return issued
}

// locked is another server over the same stores, which asks for tokens.
func (r *rig) locked(change ...func(*api.Options)) *rig {
	r.Helper()
	return over(r.T, r.runtime, append(change, func(o *api.Options) { o.RequireToken = true })...)
}

func TestATokenIsToldOnceAndOpensEveryServer(t *testing.T) {
	r := inMemory(t, nil)
	issued := r.office(wire.NewToken{Name: "ci", Role: wire.Operator, Processes: []string{"team-a-*"}, ExpiresAfter: task.Duration(time.Hour), By: "ada"})
	require.Regexp(t, `^deed_`, issued.Text)
	require.WithinDuration(t, time.Now().Add(time.Hour), issued.Expires, time.Minute)

	list := r.do(http.MethodGet, "/v1/tokens", nil)
	require.Contains(t, string(list.body), issued.ID)
	require.Contains(t, string(list.body), `"by":"ada"`)
	require.NotContains(t, string(list.body), issued.Text[len(issued.Text)-52:])
	require.NotContains(t, string(list.body), "hash")

	for range 2 {
		who, err := r.locked().as(issued.Text).client.WhoAmI(t.Context())
		require.NoError(t, err)
		require.Equal(t, wire.Principal{Name: "ci", Token: issued.ID, Role: wire.Operator, Processes: []string{"team-a-*"}}, who)
	}
	who, err := r.client.WhoAmI(t.Context())
	require.NoError(t, err)
	require.Equal(t, wire.Principal{Role: wire.Admin}, who, "who is on the machine needs none")
}

func TestARevocationHoldsAtEveryServerAtOnce(t *testing.T) {
	r := inMemory(t, nil)
	issued := r.office(wire.NewToken{Name: "ci", Role: wire.Viewer})
	here, there := r.locked().as(issued.Text), r.locked().as(issued.Text)
	for _, s := range []*rig{here, there} {
		s.ask(http.StatusOK, nil, http.MethodGet, "/v1/whoami", nil)
	}
	var revoked wire.Token
	r.ask(http.StatusOK, &revoked, http.MethodDelete, "/v1/tokens/"+issued.ID+"?by=ada", nil)
	require.Equal(t, "revoked", revoked.Status)
	require.Equal(t, "ada", revoked.RevokedBy)
	r.as(issued.Text).refused(http.StatusUnauthorized, wire.CodeUnauthorized, http.MethodGet, "/v1/whoami", nil)
	for _, s := range []*rig{here, there} {
		require.Eventually(t, func() bool {
			return s.do(http.MethodGet, "/v1/whoami", nil).status == http.StatusUnauthorized
		}, patience, 5*time.Millisecond)
	}
	r.refused(http.StatusNotFound, wire.CodeNotFound, http.MethodDelete, "/v1/tokens/nobody", nil)
}

func TestAWatchEndsWhenItsTokenDoes(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	defer close(gate)
	r := inMemory(t, greeters(gate))
	_, err := r.client.Submit(t.Context(), wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Gate")})
	require.NoError(t, err)
	issued := r.office(wire.NewToken{Name: "ci", Role: wire.Viewer})
	visitor := r.locked().as(issued.Text)

	watched, fed := make(chan error, 1), make(chan error, 1)
	seen := make(chan struct{}, 100)
	go func() {
		var last error
		for _, err := range visitor.client.Watch(t.Context(), "greet-1", 0) {
			seen <- struct{}{}
			last = err
		}
		watched <- last
	}()
	subscription, err := visitor.client.Events().Subscribe(t.Context(), "process-", 0)
	require.NoError(t, err)
	defer subscription.Stop()
	_, _, err = subscription.Next(t.Context(), true)
	require.NoError(t, err)
	go func() {
		for {
			if _, _, err := subscription.Next(t.Context(), true); err != nil {
				fed <- err
				return
			}
		}
	}()
	<-seen
	_, _, err = r.client.RevokeToken(t.Context(), issued.ID, "ada")
	require.NoError(t, err)
	require.True(t, client.IsCode(endOf(t, fed), wire.CodeUnauthorized))
	require.Error(t, endOf(t, watched), "it is cut off: who comes back is told why")
	for _, err = range visitor.client.Watch(t.Context(), "greet-1", 0) {
	}
	require.True(t, client.IsCode(err, wire.CodeUnauthorized), "%v", err)
}

func endOf(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		require.Fail(t, "it goes on")
		return nil
	}
}

func TestTheTokenOfTheFileComesInBesideThoseThatWereIssued(t *testing.T) {
	r := inMemory(t, nil)
	other := &guests{known: map[string]access.Principal{"the-token-of-the-file": {Name: "admin", Token: "file", Role: wire.Admin}}}
	s := r.locked(func(o *api.Options) { o.Access = other })
	issued, err := s.as("the-token-of-the-file").client.IssueToken(t.Context(), wire.NewToken{Name: "ada", Role: wire.Admin, By: "somebody"})
	require.NoError(t, err)
	require.Equal(t, "admin (for somebody)", issued.By)
	s.as(issued.Text).ask(http.StatusOK, nil, http.MethodGet, "/v1/tokens", nil)
}

func TestWhatMakesNoTokenIsRefusedWithTheReason(t *testing.T) {
	r := inMemory(t, nil)
	for name, body := range map[string]map[string]any{
		"no name":          {"role": "viewer"},
		"a bad name":       {"name": "a b", "role": "viewer"},
		"no role":          {"name": "ci"},
		"another role":     {"name": "ci", "role": "root"},
		"a broken pattern": {"name": "ci", "role": "viewer", "processes": []string{"["}},
		"for no process":   {"name": "ci", "role": "viewer", "processes": []string{}},
		"ended already":    {"name": "ci", "role": "viewer", "expiresAfter": "-1h"},
		"a secret of one":  {"name": "ci", "role": "viewer", "token": "deed_a_b"},
	} {
		t.Run(name, func(t *testing.T) {
			r.on(t).refused(http.StatusUnprocessableEntity, wire.CodeInvalid, http.MethodPost, "/v1/tokens", body)
		})
	}
	_, err := r.client.IssueToken(t.Context(), wire.NewToken{Name: "ci", Role: wire.Viewer, Processes: []string{}})
	require.ErrorContains(t, err, "0 patterns", "for none does not become for all on its way")
	list, err := r.client.Tokens(t.Context())
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestWhoeverHasTheRuntimeIssuesTokensWithoutAServer(t *testing.T) {
	r := inMemory(t, nil)
	issued, err := upkeep.Of(r.runtime).IssueToken(t.Context(), wire.NewToken{Name: "ada", Role: wire.Admin})
	require.NoError(t, err)
	visitor := r.locked().as(issued.Text)
	remote, err := deed.Open(t.Context(), deed.Options{URL: visitor.url, API: client.Options{Token: issued.Text}})
	require.NoError(t, err)
	t.Cleanup(remote.Close)
	second, err := upkeep.Of(remote).IssueToken(t.Context(), wire.NewToken{Name: "bob", Role: wire.Viewer})
	require.NoError(t, err)
	list, err := upkeep.Of(remote).Tokens(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 2)
	_, known, err := upkeep.Of(r.runtime).RevokeToken(t.Context(), second.ID, "ada")
	require.NoError(t, err)
	require.True(t, known)
	who, err := upkeep.Of(remote).WhoAmI(t.Context())
	require.NoError(t, err)
	require.Equal(t, "ada", who.Name)
}
