package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"

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

// What an error says of a connection that was cut has a port in it, another one
// each time.
func TestARoleThatWaitsSaysWhyOnce(t *testing.T) {
	t.Parallel()
	cuts, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer cuts.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		defer cancel()
		for range 4 {
			conn, err := cuts.Accept()
			if err != nil {
				return
			}
			_ = conn.(*net.TCPConn).SetLinger(0) // the other side reads that it was reset
			_ = conn.Close()
		}
	}()
	var said bytes.Buffer
	require.Zero(t, execute(ctx, []string{"worker", "--nats", "nats://" + cuts.Addr().String(), "--blobs", "file://" + t.TempDir()}, nil, &said, &said))
	require.Equal(t, 1, strings.Count(said.String(), "waiting for"), said.String())
}
