package main

import (
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unit is a file of systemd: settings may be given several times.
type unit map[string][]string

func readUnit(t *testing.T, name string) unit {
	t.Helper()
	u := unit{}
	for line := range strings.Lines(readDeploy(t, "systemd", name)) {
		line = strings.TrimSpace(line)
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			u[key] = append(u[key], value)
		}
	}
	require.Len(t, u["ExecStart"], 1, name)
	return u
}

// readEnvironment is what a file of variables says.
func readEnvironment(t *testing.T, name string) map[string]string {
	t.Helper()
	variables := map[string]string{}
	for line := range strings.Lines(readDeploy(t, "systemd", name)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			variables[key] = value
		}
	}
	return variables
}

// units are those of deploy/systemd, with the files of variables of their first
// instance that are there.
var units = map[string][]string{
	"deed-up.service":      nil,
	"deed-serve@.service":  {"deed.env", "serve-1.env"},
	"deed-worker@.service": {"deed.env", "worker-1.env"},
}

func TestTheUnitsOfSystemdAreRolesThatTheCommandUnderstands(t *testing.T) {
	made := readDeploy(t, "credentials") + " ca.crt nats/orchestrator.nk nats/worker.nk"
	for name, files := range units {
		u := readUnit(t, name)
		environment := map[string]string{}
		for _, file := range files {
			assert.Contains(t, strings.ReplaceAll(strings.Join(u["EnvironmentFile"], " "), "%i", "1"), "/etc/deed/"+file, name)
			for key, value := range readEnvironment(t, file) {
				environment[key] = value
			}
		}
		words := strings.Fields(u["ExecStart"][0])
		require.Equal(t, "/usr/bin/deed", words[0])
		understood(t, words[1:], environment)

		loaded := map[string]bool{}
		for _, credential := range u["LoadCredential"] {
			id, source, _ := strings.Cut(credential, ":")
			loaded["%d/"+id] = true
			file, inside := strings.CutPrefix(source, "/etc/deed/credentials/")
			require.True(t, inside, "%s: %s", name, credential)
			stem, _, _ := strings.Cut(path.Base(file), ".")
			assert.True(t, strings.Contains(made, file) || strings.Contains(made, "certificate "+stem), "%s: deploy/credentials does not make %s", name, file)
		}
		for _, word := range words[1:] {
			if _, value, _ := strings.Cut(word, "="); strings.HasPrefix(value, "%d/") {
				assert.True(t, loaded[value], "%s: %s is not loaded", name, word)
				delete(loaded, value)
			}
		}
		assert.Empty(t, loaded, "%s loads what it does not use", name)
	}
}

func TestTheUnitsOfSystemdAreConfinedAndGivenTimeToLeave(t *testing.T) {
	_, _, leaves := startedAs(t, []string{"worker"})
	for name := range units {
		u := readUnit(t, name)
		for key, value := range map[string]string{
			"DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
			"PrivateDevices": "yes", "CapabilityBoundingSet": "", "RestrictSUIDSGID": "yes", "UMask": "0077", "Restart": "always",
		} {
			assert.Equal(t, []string{value}, u[key], "%s: %s", name, key)
		}
		assert.Contains(t, u["SystemCallFilter"], "@system-service", name)
		if name == "deed-serve@.service" {
			continue // it executes nothing that would have to end
		}
		within, err := time.ParseDuration(u["TimeoutStopSec"][0])
		require.NoError(t, err)
		assert.GreaterOrEqual(t, within, leaves, name)
	}
}
