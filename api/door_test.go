package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

func TestWhatIsNoGoodRequestIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	r := inMemory(t, greeters(nil))
	_, err := r.client.Submit(t.Context(), wire.Submit{ID: "there", Definition: hello, Inputs: names("Ann")})
	require.NoError(t, err)
	r.ended("there")
	before, err := orchestrator.Version(t.Context(), r.runtime.Events, "there")
	require.NoError(t, err)

	ghost := []task.Part{{Ref: &task.Ref{Key: "sha256/ab/" + strings.Repeat("c", 62), Size: 1, SHA256: "ab" + strings.Repeat("c", 62)}}}
	get, post := http.MethodGet, http.MethodPost
	for _, bad := range []struct {
		name         string
		status       int
		code         string
		method, path string
		body         any
		header       []string
	}{
		{"a host that is not this machine", 421, wire.CodeForeign, get, "/v1/processes", nil, []string{"Host", "evil.example:8420"}},
		{"a page of another site", 403, wire.CodeForeign, post, "/v1/processes/there/cancel", "{}", []string{"Sec-Fetch-Site", "cross-site"}},
		{"a page of another origin", 403, wire.CodeForeign, post, "/v1/processes/there/cancel", "{}", []string{"Origin", "http://evil.example"}},
		{"a form", 415, wire.CodeMediaType, post, "/v1/processes/there/cancel", "reason=x", []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{"plain text, which a page may send", 415, wire.CodeMediaType, post, "/v1/processes/there/cancel", "{}", []string{"Content-Type", "text/plain"}},
		{"no media type", 415, wire.CodeMediaType, post, "/v1/processes/there/cancel", "{}", []string{"Content-Type", ""}},
		{"an address that nothing has", 404, wire.CodeNotFound, get, "/v2/processes", nil, nil},
		{"the root", 404, wire.CodeNotFound, get, "/", nil, nil},
		{"a method that an address does not take", 405, wire.CodeMethod, http.MethodDelete, "/v1/processes", nil, nil},
		{"a path that leads elsewhere", 400, wire.CodeInvalid, get, "/v1/blobs/../processes", nil, nil},
		{"a path with an empty segment", 400, wire.CodeInvalid, get, "/v1//processes", nil, nil},
		{"a path that is too long", 414, wire.CodeTooLarge, get, "/v1/blobs/" + strings.Repeat("x", 9<<10), nil, nil},
		{"no JSON", 400, wire.CodeInvalid, post, "/v1/processes", "{", nil},
		{"a body that is too large", 413, wire.CodeTooLarge, post, "/v1/processes", strings.Repeat(" ", 5<<20), nil},
		{"a definition that is too large", 422, wire.CodeInvalid, post, "/v1/processes", wire.Submit{Definition: strings.Repeat("x", 1<<20+1)}, nil},
		{"a definition that is none", 422, wire.CodeFaults, post, "/v1/processes", wire.Submit{Definition: "\x00"}, nil},
		{"no definition", 422, wire.CodeInvalid, post, "/v1/processes", "{}", nil},
		{"a field that nobody knows", 422, wire.CodeInvalid, post, "/v1/processes", `{"definition": "x", "colour": "red"}`, nil},
		{"an ID that is none", 422, wire.CodeInvalid, post, "/v1/processes", wire.Submit{ID: "../etc", Definition: hello}, nil},
		{"an input that is missing", 422, wire.CodeInput, post, "/v1/processes", wire.Submit{Definition: hello}, nil},
		{"an input that nobody asked for", 422, wire.CodeInput, post, "/v1/processes", wire.Submit{Definition: hello, Inputs: map[string]wire.Input{"people": {}}}, nil},
		{"an input with parts and values", 422, wire.CodeInput, post, "/v1/processes", wire.Submit{Definition: hello, Inputs: map[string]wire.Input{
			"names": {Values: []json.RawMessage{[]byte("1")}, Parts: ghost},
		}}, nil},
		{"a blob that is not there", 422, wire.CodeInput, post, "/v1/processes", wire.Submit{Definition: hello, Inputs: map[string]wire.Input{"names": {Parts: ghost}}}, nil},
		{"a file of the server", 422, wire.CodeFaults, post, "/v1/processes", wire.Submit{Definition: hello + "files: [go.mod]\n", Inputs: names("Ann")}, nil},
		{"a parameter that is none", 422, wire.CodeFaults, post, "/v1/processes", wire.Submit{Definition: hello, Params: map[string]string{"x": "1"}, Inputs: names("Ann")}, nil},
		{"a setting that is none", 422, wire.CodeFaults, post, "/v1/processes", wire.Submit{Definition: hello, Settings: map[string]string{"greet.x": "1"}, Inputs: names("Ann")}, nil},
		{"a process that is not there", 404, wire.CodeNoProcess, get, "/v1/processes/nobody", nil, nil},
		{"the history of one", 404, wire.CodeNoProcess, get, "/v1/processes/nobody/history", nil, nil},
		{"a watch of one", 404, wire.CodeNoProcess, get, "/v1/processes/nobody/watch", nil, nil},
		{"a command to one", 404, wire.CodeNoProcess, post, "/v1/processes/nobody/pause", "{}", nil},
		{"a process whose name is none", 422, wire.CodeInvalid, get, "/v1/processes/No_Body", nil, nil},
		{"a watch of such a process", 400, wire.CodeInvalid, get, "/v1/processes/No_Body/watch", nil, nil},
		{"an event beyond the last", 404, wire.CodeNotFound, get, "/v1/processes/there?at=999", nil, nil},
		{"a number that is none", 422, wire.CodeInvalid, get, "/v1/processes/there?at=x", nil, nil},
		{"a limit beyond the most", 422, wire.CodeInvalid, get, "/v1/processes?limit=100000000", nil, nil},
		{"a page that was never given", 400, wire.CodeInvalid, get, "/v1/processes?next=abc", nil, nil},
		{"a status that is none", 422, wire.CodeInvalid, get, "/v1/processes?status=happy", nil, nil},
		{"a command that is none", 400, wire.CodeInvalid, post, "/v1/processes/there/commands", `{"type": "make-coffee"}`, nil},
		{"a command of a worker", 400, wire.CodeInvalid, post, "/v1/processes/there/commands", `{"type": "confirm-tasks", "data": {}}`, nil},
		{"a command with an endless reason", 400, wire.CodeInvalid, post, "/v1/processes/there/commands", `{"type": "pause-process", "data": {"reason": "` + strings.Repeat("x", 5000) + `"}}`, nil},
		{"a command with an endless ID", 400, wire.CodeInvalid, post, "/v1/processes/there/commands", `{"type": "pause-process", "data": {"command": "` + strings.Repeat("x", 65) + `"}}`, nil},
		{"a start of another process", 400, wire.CodeInvalid, post, "/v1/processes/there/commands", `{"type": "start-process", "data": {"id": "other"}}`, nil},
		{"a command that is too large", 413, wire.CodeTooLarge, post, "/v1/processes/there/commands", `{"type": "` + strings.Repeat("x", 1<<20) + `"}`, nil},
		{"a step that is not there", 409, wire.CodeRefused, post, "/v1/processes/there/restart", `{"from": "nowhere"}`, nil},
		{"tasks that are no numbers", 422, wire.CodeInvalid, post, "/v1/processes/there/retry", `{"tasks": "many"}`, nil},
		{"a setting that does not exist", 422, wire.CodeInvalid, post, "/v1/processes/there/settings", `{"settings": {"greet.colour": "red"}}`, nil},
		{"an output that is none", 404, wire.CodeNotFound, get, "/v1/processes/there/outputs/nothing", nil, nil},
		{"a part that is none", 404, wire.CodeNotFound, get, "/v1/processes/there/outputs/text/7", nil, nil},
		{"a part below none", 404, wire.CodeNotFound, get, "/v1/processes/there/outputs/text/-1", nil, nil},
		{"a stream whose name is none", 400, wire.CodeInvalid, get, "/v1/streams/A*B/commits", nil, nil},
		{"a checkpoint that is none", 400, wire.CodeInvalid, get, "/v1/feed?after=-1", nil, nil},
		{"a checkpoint of another store", 400, wire.CodeInvalid, get, "/v1/feed?after=99999999", nil, nil},
		{"a blob that nobody wrote", 404, wire.CodeNoBlob, get, "/v1/blobs/p/x/0/0/1-a/0", nil, nil},
		{"a blob beyond the folder", 400, wire.CodeInvalid, get, "/v1/blobs/..%2F..%2Fetc%2Fpasswd", nil, nil},
		{"a worker that is not there", 404, wire.CodeNotFound, post, "/v1/workers/nobody/drain", "", nil},
		{"an archive of what is not archived", 404, wire.CodeNotFound, get, "/v1/processes/there/archive", nil, nil},
		{"a file that is no archive", 422, wire.CodeArchiveFile, post, "/v1/archives", strings.NewReader("no archive"), nil},
		{"a retention for no time", 422, wire.CodeInvalid, http.MethodPut, "/v1/retention/hello", `{"archiveAfter": "0s"}`, nil},
		{"a retention that is not set", 404, wire.CodeNotFound, http.MethodDelete, "/v1/retention/hello", nil, nil},
		{"a grace that is negative", 422, wire.CodeInvalid, post, "/v1/gc", `{"grace": "-1h", "delete": true}`, nil},
		{"a message that is not in quarantine", 404, wire.CodeNotFound, post, "/v1/quarantine/7/retry", "", nil},
	} {
		t.Run(bad.name, func(t *testing.T) {
			r := *r
			r.T = t
			r.refused(bad.status, bad.code, bad.method, bad.path, bad.body, bad.header...)
		})
	}
	ids, err := orchestrator.IDs(t.Context(), r.runtime.Events, "")
	require.NoError(t, err)
	require.Equal(t, []string{"there"}, ids)
	after, err := orchestrator.Version(t.Context(), r.runtime.Events, "there")
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestOnlyAddressesOfThisMachineAreListenedOn(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "localhost:0", "[::1]:0", "127.9.9.9:0"} {
		l, err := api.Listen(t.Context(), address)
		if err != nil {
			require.NotErrorAs(t, err, new(*api.AddressError), address) // a machine may lack IPv6
			continue
		}
		require.NoError(t, l.Close())
	}
	for _, address := range []string{":8420", "0.0.0.0:8420", "[::]:8420", "192.0.2.1:8420", "example.org:8420", "8420", ""} {
		_, err := api.Listen(t.Context(), address)
		require.ErrorAs(t, err, new(*api.AddressError), address)
		require.Contains(t, err.Error(), "127.0.0.1:8420", "it says what to do instead")
	}
}

// leaving serves the API as a role does, until the context ends.
func leaving(t *testing.T, r *rig) (url string, leave func() error) {
	t.Helper()
	l, err := api.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	log := slog.New(slog.DiscardHandler)
	go func() {
		served <- api.Serve(ctx, l, api.New(api.Options{Runtime: r.runtime, Log: log, Beat: time.Minute}), log)
	}()
	return "http://" + l.Addr().String(), func() error {
		cancel()
		select {
		case err := <-served:
			return err
		case <-time.After(patience):
			return fmt.Errorf("it does not leave")
		}
	}
}

func TestAServerThatLeavesEndsItsStreamsAndSaysSo(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	r := inMemory(t, greeters(gate))
	_, err := r.client.Submit(t.Context(), wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Gate")})
	require.NoError(t, err)
	url, leave := leaving(t, r)
	c, err := client.New(url, client.Options{})
	require.NoError(t, err)
	defer c.Close()
	feed, err := c.Events().Subscribe(t.Context(), "", 0)
	require.NoError(t, err)
	defer feed.Stop()
	_, _, err = feed.Next(t.Context(), true)
	require.NoError(t, err)
	watched := make(chan error, 1)
	began := make(chan struct{})
	go func() {
		first := true
		for _, err := range c.Watch(t.Context(), "greet-1", 0) {
			if first {
				close(began)
				first = false
			}
			if err != nil {
				watched <- err
			}
		}
	}()
	<-began
	require.NoError(t, leave())
	require.ErrorIs(t, <-watched, events.ErrUnavailable)
	for err == nil {
		_, _, err = feed.Next(t.Context(), true)
	}
	require.ErrorIs(t, err, events.ErrUnavailable)
	_, err = c.Show(t.Context(), "greet-1", 0)
	var away *client.UnreachableError
	require.ErrorAs(t, err, &away)
}

func TestASlowReaderHoldsUpNobody(t *testing.T) {
	t.Parallel()
	r := inMemory(t, nil)
	url, leave := leaving(t, r)
	slow, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	defer slow.Close()
	_, err = io.WriteString(slow, "GET /v1/feed HTTP/1.1\r\nHost: localhost\r\n\r\n") // and then reads nothing but the first line
	require.NoError(t, err)
	_, err = bufio.NewReaderSize(slow, 16).ReadString('\n')
	require.NoError(t, err)

	c, err := client.New(url, client.Options{})
	require.NoError(t, err)
	defer c.Close()
	sub, err := c.Events().Subscribe(t.Context(), "", 0)
	require.NoError(t, err)
	defer sub.Stop()
	fill, _ := json.Marshal(strings.Repeat("x", 512<<10))
	const commits = 40 // more than any buffer on the way holds
	for v := range uint64(commits) {
		_, err := r.runtime.Events.Append(t.Context(), "process-a", events.Exactly(v), fmt.Sprint(v), events.Record{Type: "T", Data: fill})
		require.NoError(t, err)
	}
	for v := range uint64(commits) {
		got, _, err := sub.Next(t.Context(), true)
		require.NoError(t, err)
		require.Equal(t, v, got.First)
	}
	require.NoError(t, leave())
}

func TestASilentServerCountsAsGone(t *testing.T) {
	silent := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", wire.LinesType)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	c, err := client.New(serveOnly(t, silent), client.Options{Silence: 50 * time.Millisecond})
	require.NoError(t, err)
	defer c.Close()
	sub, err := c.Events().Subscribe(t.Context(), "", 0)
	require.NoError(t, err)
	defer sub.Stop()
	_, _, err = sub.Next(t.Context(), true)
	require.ErrorIs(t, err, events.ErrUnavailable)
	for _, err := range c.Events().Read(t.Context(), "process-a", 0) {
		require.ErrorIs(t, err, events.ErrUnavailable)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	r := inMemory(t, nil)
	require.Eventually(t, func() bool { return r.client.Ready(t.Context()) == nil }, patience, 20*time.Millisecond)
	var h wire.Health
	r.ask(http.StatusOK, &h, http.MethodGet, "/healthz", nil)
	require.Equal(t, "ok", h.Status)
	v, err := r.client.Version(t.Context())
	require.NoError(t, err)
	require.Equal(t, "test", v.Version)
	var document map[string]any
	r.ask(http.StatusOK, &document, http.MethodGet, "/v1/openapi.json", nil)
	require.Contains(t, document["paths"], "/v1/processes/{id}/watch")
}

func TestEveryAddressIsOnThePageAboutThem(t *testing.T) {
	page, err := os.ReadFile("../docs/api.md")
	require.NoError(t, err)
	var document struct {
		Paths map[string]any `json:"paths"`
	}
	inMemory(t, nil).ask(http.StatusOK, &document, http.MethodGet, "/v1/openapi.json", nil)
	require.Greater(t, len(document.Paths), 30)
	for address := range document.Paths {
		last := "" // word of it that is no variable
		for word := range strings.SplitSeq(address, "/") {
			if word != "" && !strings.HasPrefix(word, "{") {
				last = word
			}
		}
		if !strings.Contains(string(page), last) {
			t.Errorf("docs/api.md does not tell of %s", address)
		}
	}
}

// nobody is an orchestrator that does not answer.
type nobody struct{}

func (nobody) Send(ctx context.Context, _ string, _ process.Command) (orchestrator.Answer, error) {
	<-ctx.Done()
	return orchestrator.Answer{}, context.Cause(ctx)
}

func (nobody) Look(ctx context.Context, _ string) (orchestrator.View, error) {
	<-ctx.Done()
	return orchestrator.View{}, context.Cause(ctx)
}

// counted is an orchestrator that counts how often it is asked.
type counted struct {
	nobody
	asked atomic.Int32
}

func (c *counted) Look(context.Context, string) (orchestrator.View, error) {
	c.asked.Add(1)
	return orchestrator.View{Shards: queue.AllShards}, nil
}

func TestHoweverManyAskWhetherAServerIsReadyItIsLookedAtOnce(t *testing.T) {
	via := &counted{}
	r := over(t, &deed.Runtime{Client: &orchestrator.Client{Events: events.New(mem.New()), Via: via}})
	began := time.Now()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { assert.Equal(t, http.StatusOK, r.do(http.MethodGet, "/readyz", nil).status) })
	}
	all.Wait()
	require.LessOrEqual(t, int(via.asked.Load()), 1+int(time.Since(began)/(500*time.Millisecond)))
}

func TestAServerWithoutOrchestratorsIsNotReady(t *testing.T) {
	r := over(t, &deed.Runtime{Client: &orchestrator.Client{Events: events.New(mem.New()), Via: nobody{}}}, func(o *api.Options) { o.AnswerWithin = 50 * time.Millisecond })
	r.refused(http.StatusServiceUnavailable, wire.CodeUnavailable, http.MethodGet, "/readyz", nil)
	r.refused(http.StatusGatewayTimeout, wire.CodeNoAnswer, http.MethodGet, "/v1/look", nil)
	require.Equal(t, "1", r.do(http.MethodGet, "/v1/look", nil).header.Get("Retry-After"))
}
