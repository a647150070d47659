package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
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
		for p, err := range r.client.Processes(t.Context(), client.Filter{}) {
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

func TestStreamsThatAreOfNoProcessAreForThoseWhoSeeAll(t *testing.T) {
	r := tenants(t)
	others := []string{"access", "autoscale-default", "later", "retention"}
	for _, stream := range others {
		_, err := r.runtime.Events.Append(t.Context(), stream, events.NoStream(), "c-"+stream, events.Record{Type: "t", Schema: 1, Data: []byte(`{}`)})
		require.NoError(t, err)
	}
	for who, sees := range map[string][]string{
		"viewer": {"autoscale-default", "retention"}, "operator": {"autoscale-default", "retention"}, "ours": nil, "ours-admin": nil, "admin": others,
	} {
		r := r.as(who)
		log := events.New(r.client.Events())
		streams, err := log.Streams(t.Context(), "")
		require.NoError(t, err)
		streams = slices.DeleteFunc(streams, func(s string) bool { return strings.HasPrefix(s, processes) })
		require.Equal(t, sees, append([]string(nil), streams...), who)
		for c, err := range log.Ends(t.Context(), "") {
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(c.Stream, processes) || slices.Contains(sees, c.Stream), "%s as %s", c.Stream, who)
		}
		all := r.until("/v1/feed", "caughtUp")
		for _, stream := range others {
			seen := slices.Contains(sees, stream)
			require.Equal(t, seen, strings.Contains(all, `"stream":"`+stream+`"`), "%s as %s", stream, who)
			for _, address := range []string{"/v1/streams/X/commits", "/v1/streams/X/last", "/v1/streams?prefix=X", "/v1/ends?prefix=X", "/v1/feed?prefix=X"} {
				address = strings.ReplaceAll(address, "X", stream)
				if !seen {
					r.refused(http.StatusForbidden, wire.CodeForbidden, http.MethodGet, address, nil)
					continue
				}
				text := r.until(address, stream)
				require.Contains(t, text, stream, "%s as %s", address, who)
			}
		}
	}
}

func TestStreamsOfAnotherTeamAreLikeThoseThatAreNotThere(t *testing.T) {
	r := tenants(t).as("ours")
	for _, address := range []string{"/v1/streams/process-ID/commits", "/v1/streams/process-ID/last", "/v1/streams?prefix=process-ID", "/v1/ends?prefix=process-ID"} {
		ask := func(id string) answer {
			return r.do(http.MethodGet, strings.ReplaceAll(address, "ID", id), nil)
		}
		alike(t, address, ask(another), ask(none), another, none)
		require.NotContains(t, string(ask(another).body), another)
		require.Contains(t, string(ask("ours-1").body), "process-ours-1", address)
	}
	for _, id := range []string{another, none} {
		require.Equal(t, `{"caughtUp":true}`+"\n", r.until("/v1/feed?prefix=process-"+id, "caughtUp"))
	}
}

func TestWhatIsStoredMeanwhileIsFedToThoseForWhomItExists(t *testing.T) {
	r := tenants(t)
	feed, err := r.as("ours").client.Events().Subscribe(t.Context(), "", 0)
	require.NoError(t, err)
	defer feed.Stop()
	for {
		_, ready, err := feed.Next(t.Context(), false)
		require.NoError(t, err)
		if !ready {
			break
		}
	}
	r.as("theirs").shouts("theirs-3", "theirs-loud")
	r.as("ours").shouts("ours-3", "ours-loud")
	c, _, err := feed.Next(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, "process-ours-3", c.Stream)
}

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
