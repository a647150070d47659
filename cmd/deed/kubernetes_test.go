package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/queue"
)

// startedAs is what the arguments of a worker say.
func startedAs(t *testing.T, args []string) (pool, concurrency string, leaves time.Duration) {
	t.Helper()
	require.Equal(t, "worker", args[0])
	worker := (&app{}).worker()
	cmd := &cobra.Command{}
	takeOver(cmd, worker.Flags())
	require.NoError(t, cmd.ParseFlags(existing(t, args[1:])), "%s", args)
	require.NoError(t, worker.PreRunE(cmd, nil), "%s", args)
	drain, err := time.ParseDuration(valueOf(cmd, "drain-timeout"))
	require.NoError(t, err)
	return valueOf(cmd, "pool"), valueOf(cmd, "concurrency"), drain + leaveWithin
}

func TestThePodsOfKubernetesAreRolesThatTheCommandUnderstands(t *testing.T) {
	all := readManifests(t)
	settings := all.named(t, "ConfigMap", "deed").Data
	settings["DEED_BLOBS"] = "file:///blobs" // as an overlay says
	asked := 0
	for _, m := range all.withPods() {
		for _, c := range m.Spec.Template.Spec.Containers {
			if c.Image != "deed" {
				continue
			}
			asked++
			environment := map[string]string{}
			for _, from := range c.EnvFrom {
				require.Equal(t, "deed", from.ConfigMapRef.Name)
				environment = settings
			}
			understood(t, c.Args, environment)
			for _, probe := range c.probes() {
				if len(probe.Exec.Command) > 0 {
					require.Equal(t, "/usr/bin/deed", probe.Exec.Command[0], "where the Dockerfile puts it")
					understood(t, probe.Exec.Command[1:], nil)
				}
			}
			for _, arg := range c.Args {
				if _, path, _ := strings.Cut(arg, "="); strings.HasPrefix(path, "/") {
					assert.True(t, c.mounts(path), "%s: nothing is mounted at %s", m, arg)
				}
			}
			for name, path := range environment {
				if strings.HasPrefix(path, "/") {
					assert.True(t, c.mounts(path), "%s: nothing is mounted at %s=%s", m, name, path)
				}
			}
		}
	}
	require.Equal(t, 3, asked, "an orchestrator, a worker, and all in one")
}

func TestAPodOfKubernetesIsGivenTheTimeThatAWorkerNeedsToLeave(t *testing.T) {
	all := readManifests(t)
	worker, one := all.named(t, "Deployment", "deed-worker"), all.named(t, "StatefulSet", "deed")
	_, concurrency, leaves := startedAs(t, worker.Spec.Template.Spec.Containers[0].Args)
	for _, m := range []manifest{worker, one} {
		require.GreaterOrEqual(t, time.Duration(m.Spec.Template.Spec.TerminationGracePeriodSeconds)*time.Second, leaves, "%s", m)
	}
	scaled := all.named(t, "ScaledObject", "deed-worker")
	trigger := scaled.Spec.Triggers[0]
	require.Equal(t, worker.Metadata.Name, scaled.Spec.ScaleTargetRef.Name)
	require.Equal(t, "nats-jetstream", trigger.Type)
	require.Equal(t, "deed-work", trigger.Metadata["stream"])
	require.Equal(t, "pool-"+queue.DefaultLane, trigger.Metadata["consumer"])
	require.Equal(t, concurrency, trigger.Metadata["lagThreshold"], "a message for each task that a pod executes")
	for name, value := range trigger.Metadata {
		require.IsType(t, "", value, "%s: KEDA takes strings only", name)
	}
}

func TestAPoolInKubernetesScalesOnItsOwnQueue(t *testing.T) {
	worker := readManifests(t).named(t, "Deployment", "deed-worker")
	args := slices.Clone(worker.Spec.Template.Spec.Containers[0].Args)
	changed := map[string]any{}
	for _, p := range readKustomization(t, "pools/gpu").Patches {
		var changes []struct {
			Op, Path string
			Value    any
		}
		if yaml.Unmarshal([]byte(p.Patch), &changes) != nil {
			continue // it is a piece of the manifest
		}
		for _, c := range changes {
			changed[c.Path] = c.Value
			switch value, _ := c.Value.(string); c.Path {
			case "/spec/template/spec/containers/0/args/1":
				args[1] = value
			case "/spec/template/spec/containers/0/args/-":
				args = append(args, value)
			}
		}
	}
	pool, concurrency, _ := startedAs(t, args)
	require.Equal(t, "gpu", pool)
	require.Equal(t, pool, changed["/spec/template/metadata/labels/deed~1pool"])
	require.Equal(t, pool, changed["/spec/selector/matchLabels/deed~1pool"])
	require.Equal(t, "pool-"+pool, changed["/spec/triggers/0/metadata/consumer"])
	require.Equal(t, concurrency, changed["/spec/triggers/0/metadata/lagThreshold"])
}

func TestTheQueueOfAPoolShowsAScalerThatThereIsWorkAndStaysShort(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), ".deed")
	r, err := deed.Open(t.Context(), deed.Options{Dir: dir})
	require.NoError(t, err)
	defer r.Close()
	tasks := make([]any, 1000)
	for i := range tasks {
		tasks[i] = i
	}
	job := deed.Job{
		Source: deed.MustParse("{deed: v1, name: x, inputs: [x], steps: {a: {run: [sleep, '1'], each: x, pool: gpu}}}"),
		Inputs: map[string]deed.Input{"x": deed.Values(tasks...)},
	}
	require.NoError(t, r.Submit(t.Context(), "x", job))

	var at struct{ URL, Token string }
	data, err := os.ReadFile(filepath.Join(dir, "server.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &at))
	conn, err := nats.Connect(at.URL, nats.Token(at.Token))
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		consumer, err := js.Consumer(context.Background(), "deed-work", "pool-gpu")
		require.NoError(t, err)
		lag := consumer.CachedInfo().NumPending + uint64(consumer.CachedInfo().NumAckPending)
		require.EqualValues(t, 16, lag, "as docs/scaling.md says")
	}, time.Minute, 20*time.Millisecond)
}
