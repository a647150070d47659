package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
)

func TestWhatAClientGotWrongIsNoFaultOfTheServer(t *testing.T) {
	r := serve(t, deed.Options{Dir: t.TempDir()})
	large, err := json.Marshal(strings.Repeat("y", 2<<20))
	require.NoError(t, err)
	p := r.refused(http.StatusUnprocessableEntity, wire.CodeInput, http.MethodPost, "/v1/processes", wire.Submit{
		Definition: hello, Inputs: map[string]wire.Input{"names": {Values: []json.RawMessage{large}}},
	})
	require.Contains(t, p.Detail, "write large values to a blob")
	for _, path := range []string{"/v1/ends?prefix=%3E", "/v1/streams?prefix=A", "/v1/blobs?prefix=../", "/v1/blobs?prefix=a/./b"} {
		r.refused(http.StatusBadRequest, wire.CodeInvalid, http.MethodGet, path, nil)
	}
	require.Equal(t, http.StatusOK, r.do(http.MethodGet, "/v1/ends?prefix="+strings.Repeat("a", 128), nil).status)
	require.Equal(t, http.StatusOK, r.do(http.MethodGet, "/v1/blobs?prefix=..", nil).status, "a key may begin so")
}

// answers is orchestrators that answer every command with an error.
type answers struct{ err error }

func (a answers) Send(context.Context, string, process.Command) (orchestrator.Answer, error) {
	return orchestrator.Answer{}, a.err
}

func (a answers) Look(context.Context, string) (orchestrator.View, error) {
	return orchestrator.View{}, a.err
}

func TestAStartThatNobodyAnsweredCanBeSubmittedAgainWithoutBeginningTwice(t *testing.T) {
	fails := func(via orchestrator.Via) *rig {
		store := events.New(mem.New())
		return over(t, &deed.Runtime{Client: &orchestrator.Client{Events: store, Via: via}}, func(o *api.Options) { o.AnswerWithin = 20 * time.Millisecond })
	}
	const none = "deed: v1\nname: hello\nsteps:\n  greet: {run: hello/greet, out: [text]}\noutputs: [text]\n"
	const submits = "/v1/processes"
	for code, via := range map[string]orchestrator.Via{
		wire.CodeNoAnswer:    nobody{},
		wire.CodeUnavailable: answers{fmt.Errorf("send: %w", queue.ErrUnavailable)},
	} {
		r := fails(via)
		status := map[string]int{wire.CodeNoAnswer: 504, wire.CodeUnavailable: 503}[code]
		p := r.refused(status, code, http.MethodPost, submits, wire.Submit{Definition: none})
		require.Regexp(t, `^process "hello-[a-z0-9]{6}" may begin yet; submit it again with that id: `, p.Detail)
		p = r.refused(status, code, http.MethodPost, submits, wire.Submit{ID: "mine", Definition: none})
		require.NotContains(t, p.Detail, "again with that id")
	}
	r := fails(answers{fmt.Errorf("send: %w", queue.ErrTooLarge)})
	r.refused(http.StatusRequestEntityTooLarge, wire.CodeTooLarge, http.MethodPost, submits, wire.Submit{Definition: none})
}
