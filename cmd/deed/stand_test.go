package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsconn"
)

func TestARoleWithAWrongTokenSaysSoAndEnds(t *testing.T) {
	t.Parallel()
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: t.TempDir(), NoSync: true})
	require.NoError(t, err)
	defer server.Close()
	for _, role := range []string{"serve", "worker"} {
		cmd := deedCommand(t, t.TempDir(), role, "--nats", server.URL(), "--blobs", "file://"+t.TempDir())
		if role == "serve" {
			cmd.Args = append(cmd.Args, "--listen", "127.0.0.1:0")
		}
		cmd.Env = append(cmd.Env, "DEED_NATS_TOKEN=another")
		said, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(said), "the server wants a token, and this is not it")
		require.Equal(t, 5, cmd.ProcessState.ExitCode(), "%s", said)
	}
}
