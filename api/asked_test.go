package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// askers are who asked for each event of a process that a person asked for.
func (r *rig) askers(id string) []string {
	r.Helper()
	var all []string
	for e, err := range orchestrator.History(r.Context(), r.runtime.Archive, id) {
		require.NoError(r, err)
		event, err := process.Decode(process.Stored{Type: e.Type, Schema: e.Schema, Data: e.Data})
		require.NoError(r, err)
		if a, ok := process.AskedIn(event); ok {
			all = append(all, e.Type+" by "+a.By)
		}
	}
	return all
}

func TestWhatIsAskedWithATokenIsRecordedAsAskedByIt(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	r := guarded(t, inMemory(t, greeters(gate)).runtime, invited()).as("operator")
	ctx, c := t.Context(), r.client
	_, err := c.Submit(ctx, wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Gate"), By: "ada"})
	require.NoError(t, err)
	for _, ask := range []func() (wire.Granted, error){
		func() (wire.Granted, error) { return c.Pause(ctx, "greet-1", wire.Asked{}) },
		func() (wire.Granted, error) { return c.Resume(ctx, "greet-1", wire.Asked{By: "the-operator"}) },
		func() (wire.Granted, error) {
			return c.Restart(ctx, "greet-1", wire.Restart{From: "greet", Asked: wire.Asked{By: "root"}})
		},
		func() (wire.Granted, error) {
			return c.Set(ctx, "greet-1", wire.Settings{Settings: map[string]string{"greet.timeout": "5m"}, Asked: wire.Asked{By: "ada"}})
		},
		func() (wire.Granted, error) {
			return c.Revise(ctx, "greet-1", wire.Revision{Definition: strings.Replace(hello, "version: 1", "version: 2", 1)})
		},
		func() (wire.Granted, error) { return c.Cancel(ctx, "greet-1", wire.Asked{By: "ada"}) },
		func() (wire.Granted, error) { return c.Retry(ctx, "greet-1", wire.Retry{}) },
	} {
		granted, err := ask()
		require.NoError(t, err)
		require.True(t, granted.Changed, granted)
	}
	require.Equal(t, []string{
		"process-started by the-operator (for ada)",
		"process-paused by the-operator",
		"process-resumed by the-operator",
		"process-restarted by the-operator (for root)",
		"process-revised by the-operator (for ada)",
		"process-revised by the-operator",
		"process-cancelled by the-operator (for ada)",
		"process-retried by the-operator",
	}, r.askers("greet-1"))
}

func TestACommandThatProgramsSendIsSignedByTheServer(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	r := guarded(t, inMemory(t, greeters(gate)).runtime, invited()).as("operator")
	start, err := r.from().Prepare(t.Context(), "greet-1", job(t, hello, "Gate"), nil)
	require.NoError(t, err)
	for _, c := range []func(process.Asked) process.Command{
		func(a process.Asked) process.Command { start.Asked = a; return start },
		func(a process.Asked) process.Command { return process.PauseProcess{Asked: a} },
		func(a process.Asked) process.Command { return process.ResumeProcess{Asked: a} },
		func(a process.Asked) process.Command { return process.RestartFrom{Address: "greet", Asked: a} },
		func(a process.Asked) process.Command {
			def := start.Definition
			def.Version = "2"
			return process.ReviseProcess{Definition: def, Asked: a}
		},
		func(a process.Asked) process.Command { return process.CancelProcess{Asked: a} },
		func(a process.Asked) process.Command { return process.RetryTasks{Asked: a} },
	} {
		_, err := r.client.Send(t.Context(), "greet-1", c(process.Asked{By: "the-admin", Reason: "so"}))
		require.NoError(t, err)
	}
	asked := r.askers("greet-1")
	require.Len(t, asked, 7)
	for _, a := range asked {
		require.True(t, strings.HasSuffix(a, " by the-operator (for the-admin)"), a)
	}
}

func TestOnlyWhatPersonsAskForIsTakenAsACommand(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	r := inMemory(t, greeters(gate)) // on a machine of one's own, where everything else is allowed
	_, err := r.client.Submit(t.Context(), wire.Submit{ID: "greet-1", Definition: hello, Inputs: names("Gate")})
	require.NoError(t, err)
	persons := map[string]bool{}
	for _, c := range []process.Command{
		process.StartProcess{}, process.CancelProcess{}, process.PauseProcess{}, process.ResumeProcess{}, process.RetryTasks{}, process.RestartFrom{}, process.ReviseProcess{},
	} {
		persons[reflect.TypeOf(c).Name()] = true
	}
	refused := 0
	for _, c := range process.CommandTypes() {
		if persons[c.Name()] {
			continue
		}
		refused++
		data, err := json.Marshal(reflect.New(c).Interface())
		require.NoError(t, err)
		for _, name := range []string{c.Name(), kebab(c.Name())} {
			body := fmt.Sprintf(`{"type": %q, "data": %s}`, name, data)
			r.refused(http.StatusBadRequest, wire.CodeInvalid, http.MethodPost, "/v1/processes/greet-1/commands", body)
		}
	}
	require.Equal(t, 7, refused)
}

// job is a definition with names to greet.
func job(t *testing.T, definition string, names ...any) deed.Job {
	t.Helper()
	source, err := deed.Parse(definition)
	require.NoError(t, err)
	return deed.Job{Source: source, Inputs: map[string]deed.Input{"names": deed.Values(names...)}}
}

// kebab is confirm-tasks for ConfirmTasks.
func kebab(name string) string {
	var out strings.Builder
	for i, c := range name {
		if c >= 'A' && c <= 'Z' && i > 0 {
			out.WriteByte('-')
		}
		out.WriteRune(c)
	}
	return strings.ToLower(out.String())
}

func TestWhatAdminsAskIsRecordedAsAskedByThem(t *testing.T) {
	r := guarded(t, inMemory(t, greeters(nil)).runtime, invited())
	r.as("operator").shouts("loud-1", "loud")
	admin := r.as("admin")
	_, err := r.as("operator").client.Archive(t.Context(), "loud-1", wire.Asked{By: "ada"})
	require.NoError(t, err)
	archived, _, err := r.runtime.Archive.Closed(t.Context(), "loud-1")
	require.NoError(t, err)
	require.Equal(t, "the-operator (for ada)", archived.By)
	var file strings.Builder
	require.NoError(t, admin.client.ExportArchive(t.Context(), "loud-1", &file))
	_, err = admin.client.RemoveArchive(t.Context(), "loud-1", wire.Asked{By: "ada"})
	require.NoError(t, err)
	_, removed, err := r.runtime.Archive.Closed(t.Context(), "loud-1")
	require.NoError(t, err)
	require.Equal(t, "the-admin (for ada)", removed.By)

	elsewhere := guarded(t, inMemory(t, nil).runtime, invited()).as("admin")
	_, err = elsewhere.client.ImportArchive(t.Context(), strings.NewReader(file.String()), wire.Asked{By: "bo"})
	require.NoError(t, err)
	archived, _, err = elsewhere.runtime.Archive.Closed(t.Context(), "loud-1")
	require.NoError(t, err)
	require.Equal(t, "the-admin (for bo)", archived.By)

	require.NoError(t, admin.client.SetRetention(t.Context(), orchestrator.Retention{Name: "loud", ArchiveAfter: 1, Asked: process.Asked{By: "ada"}}))
	all, err := admin.client.Retentions(t.Context())
	require.NoError(t, err)
	require.Equal(t, "the-admin (for ada)", all[0].By)
}
