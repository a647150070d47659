package api_test

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
)

// A process of another team, and the ID of none, of the same length.
const another, none = "theirs-1", "nobody-1"

// tenants is a server for two teams, one with a process and one with two, which
// have ended.
func tenants(t *testing.T) *rig {
	t.Helper()
	r := guarded(t, inMemory(t, greeters(nil)).runtime, invited())
	r.as("ours").shouts("ours-1", "ours-loud")
	r.as("theirs").shouts(another, "theirs-loud")
	theirs := r.as("theirs")
	_, err := theirs.client.Submit(t.Context(), wire.Submit{ID: "theirs-2", Definition: strings.Replace(hello, "name: hello", "name: theirs-hello", 1), Inputs: names("Ann")})
	require.NoError(t, err)
	theirs.ended("theirs-2")
	return r
}

// bodies are what addresses about a process take; those of the others are empty.
func bodies(id string) map[string]string {
	text, _ := json.Marshal(loud("ours-loud"))
	return map[string]string{
		"restart":    `{"from": "shout"}`,
		"settings":   `{"settings": {"shout.timeout": "5m"}}`,
		"definition": `{"definition": ` + string(text) + `}`,
		"commands":   `{"type": "cancel-process", "data": {}}`,
	}
}

// alike requires that two answers say the same, but for the ID that was asked for.
func alike(t *testing.T, what string, other, nobody answer, otherName, noName string) {
	t.Helper()
	require.Equal(t, nobody.status, other.status, "%s: %s", what, other.body)
	require.Equal(t, strings.ReplaceAll(string(nobody.body), noName, otherName), string(other.body), what)
	for _, a := range []answer{other, nobody} {
		a.header.Del("Date")
		a.header.Del("Traceparent")
	}
	require.Equal(t, nobody.header, other.header, what)
}

func TestAProcessOfAnotherTeamIsAnsweredForLikeOneThatNobodyStarted(t *testing.T) {
	r := tenants(t)
	before, err := orchestrator.Version(t.Context(), r.runtime.Events, another)
	require.NoError(t, err)
	looked := 0
	for _, who := range []string{"ours", "ours-admin"} {
		r := r.as(who)
		for _, o := range r.operations() {
			if !strings.HasPrefix(o.path, "/v1/processes/{id}") {
				continue
			}
			looked++
			ask := func(id string) answer {
				var body any
				if o.method == http.MethodPost {
					body = "{}"
					if special, ok := bodies(id)[path.Base(o.path)]; ok {
						body = special
					}
				}
				return r.do(o.method, o.at(map[string]string{"id": id, "name": "loud", "part": "0"}), body)
			}
			other, nobody := ask(another), ask(none)
			if who == "ours" && o.Role == "admin" {
				require.Equal(t, http.StatusForbidden, other.status, o)
			} else {
				require.Equal(t, http.StatusNotFound, other.status, "%s: %s", o, other.body)
				require.Contains(t, string(other.body), `"no-process"`, o)
			}
			alike(t, o.String(), other, nobody, another, none)
		}
	}
	require.Greater(t, looked, 30)
	after, err := orchestrator.Version(t.Context(), r.runtime.Events, another)
	require.NoError(t, err)
	require.Equal(t, before, after, "nothing came of it")
}

func TestWhatIsArchivedOrRemovedStaysOfItsTeam(t *testing.T) {
	r := tenants(t)
	_, err := r.as("theirs").client.Archive(t.Context(), another, wire.Asked{})
	require.NoError(t, err)
	for _, address := range []string{"", "/history", "/archive", "/outputs", "/watch"} {
		ask := func(who, id string) answer {
			return r.as(who).do(http.MethodGet, "/v1/processes/"+id+address, nil)
		}
		require.Less(t, ask("theirs", another).status, 300, address)
		alike(t, address, ask("ours", another), ask("ours", none), another, none)
	}
	_, err = r.as("theirs-admin").client.RemoveArchive(t.Context(), another, wire.Asked{})
	require.NoError(t, err)
	r.as("theirs").refused(http.StatusGone, wire.CodeRemoved, http.MethodGet, "/v1/processes/"+another, nil)
	r.as("ours").refused(http.StatusNotFound, wire.CodeNoProcess, http.MethodGet, "/v1/processes/"+another, nil)

	fresh := guarded(t, r.runtime, invited()) // which has never seen it otherwise
	fresh.as("theirs").refused(http.StatusGone, wire.CodeRemoved, http.MethodGet, "/v1/processes/"+another, nil)
	fresh.as("ours").refused(http.StatusNotFound, wire.CodeNoProcess, http.MethodGet, "/v1/processes/"+another, nil)
}

func TestListsHaveOnlyWhatExistsForWhoAsks(t *testing.T) {
	r := tenants(t)
	for who, want := range map[string][]string{
		"ours": {"ours-1"}, "ours-viewer": {"ours-1"}, "theirs": {"theirs-1", "theirs-2"}, "viewer": {"ours-1", "theirs-1", "theirs-2"},
	} {
		r := r.as(who)
		var listed, ends, fed, due []string
		ended, err := r.client.Due(t.Context(), time.Now().Add(time.Hour), "")
		require.NoError(t, err)
		for _, d := range ended {
			due = append(due, d.ID)
		}
		for p, err := range r.client.Processes(t.Context(), orchestrator.Filter{}) {
			require.NoError(t, err)
			listed = append(listed, p.ID)
		}
		log := events.New(r.client.Events())
		ids, err := orchestrator.IDs(t.Context(), log, "")
		require.NoError(t, err)
		for c, err := range log.Ends(t.Context(), processes) {
			require.NoError(t, err)
			ends = append(ends, strings.TrimPrefix(c.Stream, processes))
		}
		feed, err := log.Subscribe(t.Context(), "", 0)
		require.NoError(t, err)
		for {
			c, ready, err := feed.Next(t.Context(), false)
			require.NoError(t, err)
			if !ready {
				break
			}
			if id := strings.TrimPrefix(c.Stream, processes); !slices.Contains(fed, id) {
				fed = append(fed, id)
			}
		}
		feed.Stop()
		for what, got := range map[string][]string{"processes": listed, "streams": ids, "ends": ends, "feed": fed, "due": due} {
			slices.Sort(got)
			require.Equal(t, want, got, "%s of %s", what, who)
		}
	}
}

const processes = "process-"
