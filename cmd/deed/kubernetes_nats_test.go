package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsaccounts"
	"github.com/deedrun/deed/internal/tlstest"
)

func TestANATSServerReadsTheConfigurationOfKubernetes(t *testing.T) {
	nodes := readManifests(t).named(t, "StatefulSet", "nats")
	dir := t.TempDir()
	authority := tlstest.New(t)
	cert, key := authority.Issue(t, dir, time.Now().Add(time.Hour), "nats", "nats-0.nats")
	_, err := natsaccounts.Folder{Dir: filepath.Join(dir, "accounts")}.Write(nil)
	require.NoError(t, err)
	here := map[string]string{
		"/etc/nats/tls/tls.crt": cert, "/etc/nats/tls/tls.key": key, "/etc/nats/tls/ca.crt": authority.File(t, dir),
		"/run/nats": dir, `"/data"`: `"` + dir + `"`,
	}
	text := readDeploy(t, "kubernetes", "nats", "nats.conf")
	mounts := nodes.Spec.Template.Spec.Containers[0]
	for inside, outside := range here {
		require.Contains(t, text, inside)
		require.True(t, mounts.mounts(strings.Trim(inside, `"`)), "nothing is mounted at %s", inside)
		text = strings.ReplaceAll(text, inside, outside)
	}
	config := filepath.Join(dir, "config", "nats.conf")
	require.NoError(t, os.Mkdir(filepath.Dir(config), 0o700))
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	t.Setenv("NATS_NAME", "nats-0")
	t.Setenv("NATS_ADVERTISE", "nats-0.nats:4222")

	o, err := natsserver.ProcessConfigFile(config)
	require.NoError(t, err)
	require.Equal(t, "nats-0", o.ServerName)
	require.Equal(t, "nats-0.nats:4222", o.ClientAdvertise)
	require.EqualValues(t, 8<<20, o.MaxPayload, "as deed doctor asks for")
	require.True(t, o.JetStream)
	require.NotNil(t, o.TLSConfig)
	require.NotNil(t, o.Cluster.TLSConfig)
	require.Len(t, o.Routes, nodes.Spec.Replicas)
	require.Equal(t, "nats-2.nats:6222", o.Routes[2].Host)
	require.NotEmpty(t, o.Nkeys, "the users of deed auth nats")
}
