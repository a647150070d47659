package access_test

import (
	"bytes"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/access"
)

func TestATokenOpensWhatItWasIssuedFor(t *testing.T) {
	r := setup(t)
	id, text := r.issue(access.Issue{Name: "ci", Role: wire.Operator, Processes: []string{"team-a-*"}, By: "ada"})
	require.Regexp(t, `^deed_[a-z2-9]{8}_[a-z2-9]{52}$`, text)
	require.Equal(t, access.Principal{Name: "ci", Token: id, Role: wire.Operator, Processes: []string{"team-a-*"}}, r.granted(text))
	_, other := r.issue(access.Issue{Name: "ci"})
	require.NotEqual(t, text, other, "one name may have several, to replace one by the next")
	require.False(t, r.granted(other).Scoped())
}

func TestOnlyTheWholeTokenOpensAnything(t *testing.T) {
	r := setup(t)
	id, text := r.issue(access.Issue{Name: "ci"})
	_, other := r.issue(access.Issue{Name: "other"})
	for _, wrong := range []string{
		"", "deed_", "deed__", id, "deed_" + id, "deed_" + id + "_", text[:len(text)-1], text + "a", text[:len(text)-1] + "A",
		text[:len("deed_")+len(id)] + other[len("deed_")+len(id):], "Deed" + text[4:],
	} {
		r.refused(wrong)
	}
}

func TestTheSecretOfATokenIsNowhereInTheStore(t *testing.T) {
	r := setup(t)
	_, text := r.issue(access.Issue{Name: "ci"})
	secret := text[len(text)-52:]
	for c, err := range events.New(r.driver).ReadCommits(t.Context(), access.Stream, 0) {
		require.NoError(t, err)
		for e := range c.All() {
			require.False(t, bytes.Contains(e.Data, []byte(secret)), string(e.Data))
			require.NotContains(t, string(e.Data), "expires")
		}
	}
	all, err := r.tokens.List(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
}

func TestARevokedTokenOpensNothingAtOnceWhereItWasRevoked(t *testing.T) {
	r := setup(t)
	id, text := r.issue(access.Issue{Name: "ci"})
	_, kept := r.issue(access.Issue{Name: "ci"})
	r.granted(text)
	token, known, err := r.tokens.Revoke(t.Context(), id, "ada")
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, "ada", token.RevokedBy)
	r.refused(text)
	r.granted(kept)

	r.now = r.now.Add(time.Hour)
	again, known, err := r.tokens.Revoke(t.Context(), id, "eve")
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, token, again, "the same again changes nothing")
	_, known, err = r.tokens.Revoke(t.Context(), "nobody", "ada")
	require.NoError(t, err)
	require.False(t, known)
}

func TestATokenOpensNothingFromTheMomentItExpires(t *testing.T) {
	r := setup(t)
	_, text := r.issue(access.Issue{Name: "ci", Expires: r.now.Add(time.Hour)})
	r.now = r.now.Add(time.Hour - 1)
	r.granted(text)
	r.now = r.now.Add(1)
	r.refused(text)
	_, _, err := r.tokens.Issue(t.Context(), access.Issue{Name: "late", Role: wire.Viewer, Expires: r.now})
	require.ErrorContains(t, err, "expired at 2026-11-21T09:00:00Z already")
}

func TestTokensAreListedAsTheyWereIssued(t *testing.T) {
	r := setup(t)
	first, _ := r.issue(access.Issue{Name: "b", Role: wire.Admin, By: "ada"})
	second, _ := r.issue(access.Issue{Name: "a", Role: wire.Viewer, Processes: []string{"x"}, Expires: r.now.Add(time.Hour)})
	_, _, err := r.tokens.Revoke(t.Context(), first, "eve")
	require.NoError(t, err)
	all, err := r.replica().List(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, []string{first, second}, []string{all[0].ID, all[1].ID})
	require.False(t, all[0].Opens(r.now))
	require.Equal(t, "ada", all[0].By)
	require.Equal(t, "eve", all[0].RevokedBy)
	require.True(t, all[1].Opens(r.now))
	require.False(t, all[1].Opens(r.now.Add(time.Hour)))
	require.Equal(t, []string{"x"}, all[1].Processes)
}

func TestAWishThatMakesNoTokenSaysWhy(t *testing.T) {
	r := setup(t)
	for name, c := range map[string]struct {
		wish access.Issue
		says string
	}{
		"no name":            {access.Issue{Role: wire.Viewer}, `"" is no name`},
		"a name of brackets": {access.Issue{Name: "ci (for ada)", Role: wire.Viewer}, "is no name"},
		"the file's name":    {access.Issue{Name: "admin", Role: wire.Admin}, "take another"},
		"no role":            {access.Issue{Name: "ci"}, `role "": give viewer, operator or admin`},
		"another role":       {access.Issue{Name: "ci", Role: "root"}, `role "root"`},
		"no process at all":  {access.Issue{Name: "ci", Role: wire.Viewer, Processes: []string{}}, "0 patterns"},
		"an empty pattern":   {access.Issue{Name: "ci", Role: wire.Viewer, Processes: []string{"a", ""}}, "is no pattern"},
		"a broken pattern":   {access.Issue{Name: "ci", Role: wire.Viewer, Processes: []string{"a[", "b"}}, `"a[" is no pattern`},
	} {
		_, text, err := r.tokens.Issue(t.Context(), c.wish)
		var invalid *access.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.ErrorContains(t, err, c.says, name)
		require.Empty(t, text)
	}
}

func TestIssuersAtOnceLoseNoToken(t *testing.T) {
	r := setup(t)
	texts := make([]string, 12)
	var all sync.WaitGroup
	for i := range texts {
		all.Go(func() {
			_, text, err := r.replica().Issue(t.Context(), access.Issue{Name: "ci", Role: wire.Viewer})
			if err == nil {
				texts[i] = text
			}
		})
	}
	all.Wait()
	for _, text := range texts {
		r.granted(text)
	}
	list, err := r.tokens.List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, len(texts))
}

func TestWhoShowsNoTokenOfThisFormCostsTheStoreNothing(t *testing.T) {
	r := setup(t)
	r.refused("a-token-of-something-else")
	require.Zero(t, r.cable.asks.Load())
	_, text := r.issue(access.Issue{Name: "ci"})
	r.granted(text)
	asked := r.cable.asks.Load()
	for range 100 {
		r.granted(text)
		r.refused(text + "x")
	}
	require.Equal(t, asked, r.cable.asks.Load(), "nor do many who ask at once")
}

func TestAnEventThatIsNotUnderstoodLetsNobodyIn(t *testing.T) {
	for name, c := range map[string]struct {
		kind   string
		schema int
		data   any
		says   string
	}{
		"of a later kind":     {"token-narrowed", 1, map[string]string{}, "event 2, token-narrowed: schema 1 is not known to this version of deed: upgrade it"},
		"of a later schema":   {"token-revoked", 2, map[string]string{}, "event 2, token-revoked: schema 2"},
		"no JSON of its kind": {"token-issued", 1, []int{1}, "event 2, token-issued: "},
		"without a hash":      {"token-issued", 1, map[string]string{"id": "x", "role": "admin"}, "no SHA-256"},
		"of no token":         {"token-revoked", 1, map[string]string{"id": "x"}, "never issued"},
	} {
		t.Run(name, func(t *testing.T) {
			r := setup(t)
			_, text := r.issue(access.Issue{Name: "ci"})
			r.granted(text)
			r.write(c.kind, c.schema, c.data)
			r.now = r.now.Add(time.Second)
			_, err := r.tokens.Authenticate(t.Context(), text)
			require.ErrorContains(t, err, c.says)
			require.NotErrorIs(t, err, access.ErrUnknown)
			_, err = r.tokens.List(t.Context())
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestTokensAsTheyWereStoredOnceAreReadForEver(t *testing.T) {
	r := setup(t)
	for _, e := range []struct{ kind, data string }{
		{"token-issued", `{"id":"mhsy7nkq","hash":"e8f53efe8b6d6ee6a5ee70dbd5c3ef7bd87f4a4eae35cbd2a4e2d15f3b8dcd6b","name":"ada","role":"admin","by":"root@vm","at":"2026-11-21T20:30:03.5Z"}`},
		{"token-issued", `{"id":"abcdefgh","hash":"030aa059aa1f43c76f93e82e73128c24360ffe724d98502b10489e62a7e92adb","name":"ci","role":"operator","processes":["team-a-*"],"expires":"2026-12-21T20:30:04Z","by":"ada","at":"2026-11-21T20:30:04Z"}`},
		{"token-revoked", `{"id":"mhsy7nkq","by":"ada","at":"2026-11-21T20:31:00Z"}`},
	} {
		r.write(e.kind, 1, json.RawMessage(e.data))
	}
	who := r.granted("deed_abcdefgh_234567892345678923456789234567892345678923456789abcd")
	require.Equal(t, access.Principal{Name: "ci", Token: "abcdefgh", Role: wire.Operator, Processes: []string{"team-a-*"}}, who)
	all, err := r.tokens.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 11, 21, 20, 31, 0, 0, time.UTC), all[0].RevokedAt)
	require.Equal(t, time.Date(2026, 12, 21, 20, 30, 4, 0, time.UTC), all[1].Expires)
}
