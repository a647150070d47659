package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/worker"
)

const hello = `
deed: v1
name: hello
version: 1
inputs: [names]
params: {greeting: Hello}
steps:
  greet: {run: hello/greet, each: names, out: [greetings]}
  join:  {run: hello/join, in: [greetings], out: [text]}
outputs: [text]
`

// greeters are the handlers of hello. Greeting Gate waits until the gate is
// opened; greeting Nobody fails.
func greeters(gate <-chan struct{}) *worker.Registry {
	handlers := worker.NewRegistry()
	worker.HandleJSON(handlers, "hello/greet", func(ctx context.Context, name string) (string, error) {
		switch name {
		case "Gate":
			select {
			case <-gate:
			case <-ctx.Done():
				return "", ctx.Err()
			}
		case "Nobody":
			return "", worker.Permanent(errors.New("nobody is there to be greeted"))
		}
		return "Hello, " + name + "!", nil
	})
	worker.HandleJSON(handlers, "hello/join", func(_ context.Context, greetings []string) (string, error) {
		return strings.Join(greetings, " "), nil
	})
	return handlers
}

func names(list ...string) map[string]wire.Input {
	var in wire.Input
	for _, name := range list {
		in.Values = append(in.Values, json.RawMessage(fmt.Sprintf("%q", name)))
	}
	return map[string]wire.Input{"names": in}
}

// ended watches a process to its end.
func (r *rig) ended(id string) wire.Standing {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	var last wire.Standing
	for s, err := range r.client.Watch(ctx, id, 0) {
		require.NoError(r, err)
		last = s
	}
	require.True(r, last.Ended(), "%+v", last)
	return last
}

func TestAProcessIsSubmittedWatchedAndRead(t *testing.T) {
	r := inMemory(t, greeters(nil))
	done, err := r.client.Submit(t.Context(), wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Ann", "Bo")})
	require.NoError(t, err)
	require.Equal(t, "greet-1", done.ID)
	require.False(t, done.Attached)
	last := r.ended("greet-1")
	require.Equal(t, process.Completed, last.Status)

	shown, err := r.client.Show(t.Context(), "greet-1", 0)
	require.NoError(t, err)
	require.Equal(t, last.Events, shown.Events)
	require.Len(t, shown.Steps, 2)
	early, err := r.client.Show(t.Context(), "greet-1", 1)
	require.NoError(t, err)
	require.Equal(t, uint64(1), early.Events)
	require.Equal(t, process.Running, early.Status)

	outputs, err := r.client.Outputs(t.Context(), "greet-1")
	require.NoError(t, err)
	require.Len(t, outputs, 1)
	content, err := r.client.OpenPart(t.Context(), "greet-1", "text", 0)
	require.NoError(t, err)
	text, err := io.ReadAll(content)
	require.NoError(t, errors.Join(err, content.Close()))
	require.JSONEq(t, `"Hello, Ann! Hello, Bo!"`, string(text))
	part := r.do(http.MethodGet, "/v1/processes/greet-1/outputs/text/0", nil, "Range", "bytes=1-5")
	require.Equal(t, http.StatusPartialContent, part.status)
	require.Equal(t, "Hello", string(part.body))

	var all []orchestrator.Summary
	for p, err := range r.client.Processes(t.Context(), orchestrator.Filter{}) {
		require.NoError(t, err)
		all = append(all, p)
	}
	require.Len(t, all, 1)
	require.Equal(t, "greet-1", all[0].ID)
}

func TestTheSameSubmissionAgainAttachesAndAnotherIsRefusedWithWhatDiffers(t *testing.T) {
	r := inMemory(t, greeters(nil))
	job := wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Ann")}
	var first, again wire.Submitted
	r.ask(http.StatusCreated, &first, http.MethodPost, "/v1/processes", job)
	r.ask(http.StatusOK, &again, http.MethodPost, "/v1/processes", job)
	require.True(t, again.Attached)

	job.Inputs = names("Bo")
	p := r.refused(http.StatusConflict, wire.CodeRefused, http.MethodPost, "/v1/processes", job)
	require.NotEmpty(t, p.Differs)
	_, err := r.client.Submit(t.Context(), job)
	var answer *orchestrator.AnswerError
	require.ErrorAs(t, err, &answer)
	require.Equal(t, p.Differs, answer.Differs)
}

func TestADefinitionAtFaultIsRefusedWithEveryFault(t *testing.T) {
	r := inMemory(t, greeters(nil))
	broken := strings.Replace(strings.Replace(hello, "each: names", "each: nmaes", 1), "in: [greetings]", "in: [greeting]", 1)
	p := r.refused(http.StatusUnprocessableEntity, wire.CodeFaults, http.MethodPost, "/v1/processes", wire.Submit{Definition: broken, Inputs: names("Ann")})
	require.GreaterOrEqual(t, len(p.Faults), 2)
	require.Equal(t, 8, p.Faults[0].Line)
	require.Equal(t, "greet", p.Faults[0].Address)
	require.Contains(t, p.Faults[0].Hint, "names")
	_, err := r.client.Submit(t.Context(), wire.Submit{Definition: broken})
	var faults *definition.FaultsError
	require.ErrorAs(t, err, &faults)
	require.Len(t, faults.Faults, len(p.Faults))
	r.nothingStored()
}

// nothingStored requires that no process was started.
func (r *rig) nothingStored() {
	r.Helper()
	ids, err := orchestrator.IDs(r.Context(), r.runtime.Events, "")
	require.NoError(r, err)
	require.Empty(r, ids)
}

func TestAHistoryIsReadInPages(t *testing.T) {
	r := inMemory(t, greeters(nil))
	_, err := r.client.Submit(t.Context(), wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Ann", "Bo")})
	require.NoError(t, err)
	events := r.ended("greet-1").Events
	var seen []wire.Event
	for after := uint64(0); ; {
		var page wire.History
		r.ask(http.StatusOK, &page, http.MethodGet, fmt.Sprintf("/v1/processes/greet-1/history?limit=3&after=%d", after), nil)
		require.LessOrEqual(t, len(page.Events), 3)
		seen = append(seen, page.Events...)
		if after = page.Next; after == 0 {
			break
		}
	}
	require.Len(t, seen, int(events))
	for i, e := range seen {
		require.Equal(t, uint64(i+1), e.Version)
	}
	require.Equal(t, "process-started", seen[0].Type)
}

func TestProcessesAreListedInPagesThatDoNotMove(t *testing.T) {
	r := inMemory(t, greeters(nil))
	for i := range 5 {
		_, err := r.client.Submit(t.Context(), wire.Submit{ID: fmt.Sprintf("greet-%d", i), Definition: hello, Inputs: names("Ann")})
		require.NoError(t, err)
	}
	var got []string
	for next := ""; ; {
		var page wire.Processes
		r.ask(http.StatusOK, &page, http.MethodGet, "/v1/processes?limit=2&next="+next, nil)
		for _, p := range page.Processes {
			got = append(got, p.ID)
		}
		if len(got) == 2 { // what begins meanwhile is no part of what is being read
			_, err := r.client.Submit(t.Context(), wire.Submit{ID: "later", Definition: hello, Inputs: names("Bo")})
			require.NoError(t, err)
		}
		if next = page.Next; next == "" {
			break
		}
	}
	require.Equal(t, []string{"greet-4", "greet-3", "greet-2", "greet-1", "greet-0"}, got)

	r.ended("later")
	var some wire.Processes
	r.ask(http.StatusOK, &some, http.MethodGet, "/v1/processes?prefix=lat&status=completed&name=hello", nil)
	require.Len(t, some.Processes, 1)
	r.ask(http.StatusOK, &some, http.MethodGet, "/v1/processes?status=failed", nil)
	require.Empty(t, some.Processes)
}

func TestAWatchGoesOnAfterTheLastEventThatWasSeen(t *testing.T) {
	gate := make(chan struct{})
	r := inMemory(t, greeters(gate))
	_, err := r.client.Submit(t.Context(), wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Ann", "Gate")})
	require.NoError(t, err)
	watch := r.open(http.MethodGet, "/v1/processes/greet-1/watch", nil)
	seen, kept := "", bufio.NewReader(watch.Body)
	for alive := false; seen == "" || !alive; { // it says that it is there while nothing happens
		line, err := kept.ReadString('\n')
		require.NoError(t, err)
		alive = alive || strings.HasPrefix(line, ":")
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			seen = strings.TrimSpace(id)
		}
	}
	require.NoError(t, watch.Body.Close())
	close(gate)

	again := r.do(http.MethodGet, "/v1/processes/greet-1/watch", nil, "Last-Event-ID", seen)
	require.NotContains(t, string(again.body), "id: "+seen+"\n")
	require.Contains(t, string(again.body), `"status":"completed"`)
	last := r.ended("greet-1")
	over := r.do(http.MethodGet, "/v1/processes/greet-1/watch", nil, "Last-Event-ID", fmt.Sprint(last.Events))
	require.Equal(t, http.StatusNoContent, over.status)
	for s := range r.client.Watch(t.Context(), "greet-1", last.Events) {
		require.Fail(t, "there is no more", "%+v", s)
	}
}

func TestAProcessIsSupervised(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	defer close(gate)
	r := inMemory(t, greeters(gate))
	_, err := r.client.Submit(t.Context(), wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Ann", "Nobody", "Gate")})
	require.NoError(t, err)
	require.Equal(t, process.Failed, r.ended("greet-1").Status)

	retried, err := r.client.Retry(t.Context(), "greet-1", wire.Retry{Asked: wire.Asked{By: "ada", Reason: "somebody came", Command: "retry-1"}, Address: "greet"})
	require.NoError(t, err)
	require.True(t, retried.Changed)
	require.Contains(t, retried.Event, "by ada")
	again, err := r.client.Retry(t.Context(), "greet-1", wire.Retry{Asked: wire.Asked{Command: "retry-1"}, Address: "greet"})
	require.NoError(t, err)
	require.False(t, again.Changed, "the same command counts once")
	require.Equal(t, process.Failed, r.ended("greet-1").Status)

	_, err = r.client.Submit(t.Context(), wire.Submit{ID: "greet-2", Definition: hello, Inputs: names("Ann", "Gate")})
	require.NoError(t, err)
	for _, step := range []struct {
		name    string
		ask     func() (wire.Granted, error)
		changed bool
		event   string
	}{
		{"restart", func() (wire.Granted, error) {
			return r.client.Restart(t.Context(), "greet-2", wire.Restart{From: "greet"})
		}, true, "restarted from greet"},
		{"pause", func() (wire.Granted, error) {
			return r.client.Pause(t.Context(), "greet-2", wire.Asked{Reason: "lunch"})
		}, true, "paused: lunch"},
		{"pause again", func() (wire.Granted, error) { return r.client.Pause(t.Context(), "greet-2", wire.Asked{}) }, false, ""},
		{"settings", func() (wire.Granted, error) {
			return r.client.Set(t.Context(), "greet-2", wire.Settings{Settings: map[string]string{"greet.timeout": "5m"}})
		}, true, "definition revised"},
		{"definition", func() (wire.Granted, error) {
			return r.client.Revise(t.Context(), "greet-2", wire.Revision{Definition: strings.Replace(hello, "version: 1", "version: 2", 1)})
		}, true, "to version 2"},
		{"resume", func() (wire.Granted, error) { return r.client.Resume(t.Context(), "greet-2", wire.Asked{}) }, true, "resumed"},
		{"cancel", func() (wire.Granted, error) { return r.client.Cancel(t.Context(), "greet-2", wire.Asked{}) }, true, "cancelled"},
	} {
		g, err := step.ask()
		require.NoError(t, err, step.name)
		require.Equal(t, step.changed, g.Changed, step.name)
		require.Contains(t, g.Event, step.event, step.name)
	}
	_, err = r.client.Restart(t.Context(), "greet-2", wire.Restart{From: "nowhere"})
	var answer *orchestrator.AnswerError
	require.ErrorAs(t, err, &answer)
	_, err = r.client.Cancel(t.Context(), "no-such", wire.Asked{})
	require.True(t, client.IsCode(err, wire.CodeNoProcess), "%v", err)
}

func TestCommandsAndViewsGoThroughTheClientAsThroughTheQueues(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	defer close(gate)
	r := inMemory(t, greeters(gate))
	_, err := r.client.Submit(t.Context(), wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Gate")})
	require.NoError(t, err)
	remote := &orchestrator.Client{Events: events.New(r.client.Events()), Via: r.client}

	require.Eventually(t, func() bool {
		view, err := remote.Look(t.Context(), "greet-1")
		return err == nil && len(view.Running) == 1
	}, patience, 20*time.Millisecond)
	pools, err := r.client.Pools(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, pools.Pools)

	_, err = remote.Send(t.Context(), "greet-1", process.RestartFrom{Address: "nowhere"})
	var here, there *orchestrator.AnswerError
	require.ErrorAs(t, err, &there)
	_, err = r.runtime.Send(t.Context(), "greet-1", process.RestartFrom{Address: "nowhere"})
	require.ErrorAs(t, err, &here)
	require.Equal(t, here, there)

	answer, err := remote.Send(t.Context(), "greet-1", process.CancelProcess{Asked: process.Asked{By: "ada"}})
	require.NoError(t, err)
	require.Positive(t, answer.Version)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var last process.State
	for s, err := range remote.Follow(ctx, "greet-1") {
		require.NoError(t, err)
		last = s
	}
	require.Equal(t, process.Cancelled, last.Status)
}

func TestFilesThatTravelWithADefinitionAreStoredBeforeIt(t *testing.T) {
	r := inMemory(t, greeters(nil))
	store := blob.New(r.client.Bucket())
	defer store.Close()
	ref, err := store.Import(t.Context(), strings.NewReader("in a low voice: "))
	require.NoError(t, err)
	const quiet = `
deed: v1
name: quiet
inputs: [names]
files: [tone.txt]
steps:
  say: {sh: cat tone.txt "$DEED_IN/names" > "$DEED_OUT/said", each: names, out: [said]}
outputs: [said]
`
	job := wire.Submit{ID: "quiet-1", Definition: quiet, Inputs: names("Ann"), Files: []wire.File{{Name: "tone.txt", Ref: ref}}}
	_, err = r.client.Submit(t.Context(), job)
	require.NoError(t, err)
	require.Equal(t, process.Completed, r.ended("quiet-1").Status)
	var said []string
	for p, err := range r.client.Parts(t.Context(), "quiet-1", "said") {
		require.NoError(t, err)
		content, err := r.client.OpenPart(t.Context(), "quiet-1", "said", p.Part)
		require.NoError(t, err)
		text, err := io.ReadAll(content)
		require.NoError(t, errors.Join(err, content.Close()))
		said = append(said, string(text))
	}
	require.Equal(t, []string{`in a low voice: "Ann"`}, said)
}
