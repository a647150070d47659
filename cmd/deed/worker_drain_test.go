package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
)

// sees is a server that says one after the other what it sees, and the last of
// it again and again.
func sees(t *testing.T, views ...orchestrator.View) (url string) {
	t.Helper()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		assert.NoError(t, json.NewEncoder(w).Encode(v))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/version", func(w http.ResponseWriter, _ *http.Request) { answer(w, wire.Version{Version: "test"}) })
	mux.HandleFunc("GET /v1/look", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, views[0])
		views = views[min(1, len(views)-1):]
	})
	mux.HandleFunc("POST /v1/workers/{name}/drain", func(w http.ResponseWriter, r *http.Request) {
		for _, there := range views[0].Workers {
			if there.Worker == r.PathValue("name") {
				w.WriteHeader(http.StatusAccepted)
				return
			}
		}
		w.Header().Set("Content-Type", wire.ProblemType)
		w.WriteHeader(http.StatusNotFound)
		assert.NoError(t, json.NewEncoder(w).Encode(wire.Problem{Status: http.StatusNotFound, Code: wire.CodeNotFound, Detail: "there is no such worker"}))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestAWorkerThatANewOrchestratorHasNotHeardYetHasNotLeft(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	working := []orchestrator.WorkerView{{Worker: "host-1-a", Slots: 1, Holding: 1}}
	leaving := []orchestrator.WorkerView{{Worker: "host-1-a", Slots: 1, Holding: 1, Draining: true}}
	there, gone := orchestrator.View{Certain: true, Workers: working}, orchestrator.View{Certain: true}
	deaf := orchestrator.View{} // has just begun to listen
	for name, c := range map[string]struct {
		args  []string
		views []orchestrator.View
		code  int
		says  []string
	}{
		"while it is waited for": {
			[]string{"host-1-a", "--wait"},
			[]orchestrator.View{there, deaf, {Workers: leaving}, deaf, gone},
			exitOK,
			[]string{"host-1-a takes nothing more", "host-1-a has left"},
		},
		"when it is named": {
			[]string{"host-1-a"},
			[]orchestrator.View{deaf, {Workers: working}, {Workers: leaving}},
			exitOK,
			[]string{"host-1-a takes nothing more"},
		},
		"when its pool is": {
			[]string{"--all-of-pool", "default"},
			[]orchestrator.View{deaf, there, {Certain: true, Workers: leaving}},
			exitOK,
			[]string{"host-1-a takes nothing more"},
		},
		"but it has when it left before it was told": {
			[]string{"host-1-a"},
			[]orchestrator.View{there, gone},
			exitOK,
			[]string{"host-1-a has left"},
		},
		"and who was never there is not waited for": {
			[]string{"host-2"}, []orchestrator.View{deaf, there}, exitNotFound, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append([]string{"worker", "drain", "--server", sees(t, c.views...)}, c.args...)
			require.Equal(t, c.code, execute(t.Context(), args, strings.NewReader(""), &stdout, &stderr), stderr.String())
			lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
			if len(c.says) == 0 {
				require.Empty(t, stdout.String())
				return
			}
			require.Len(t, lines, len(c.says), stdout.String())
			for i, line := range lines {
				require.Contains(t, line, c.says[i])
			}
		})
	}
}
