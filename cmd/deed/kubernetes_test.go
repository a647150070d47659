package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
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

// What deploy/kubernetes says has to fit to what the command does.

type deployment struct {
	Spec struct {
		Template struct {
			Spec struct {
				TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
				Containers                    []struct{ Args []string }
			}
		}
	}
}

type scaledObject struct {
	Spec struct {
		ScaleTargetRef struct{ Name string } `yaml:"scaleTargetRef"`
		Triggers       []struct {
			Type     string
			Metadata map[string]any
		}
	}
}

type kustomization struct {
	Patches []struct {
		Target struct{ Kind string }
		Patch  string
	}
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", "kubernetes", name))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, into), name)
}

// startedAs is what the arguments of a worker say.
func startedAs(t *testing.T, args []string) (pool, concurrency string, leaves time.Duration) {
	t.Helper()
	require.Equal(t, "worker", args[0])
	worker := (&app{}).worker()
	cmd := &cobra.Command{}
	takeOver(cmd, worker.Flags())
	require.NoError(t, cmd.ParseFlags(args[1:]), "%s", args)
	require.NoError(t, worker.PreRunE(cmd, nil), "%s", args)
	drain, err := time.ParseDuration(valueOf(cmd, "drain-timeout"))
	require.NoError(t, err)
	return valueOf(cmd, "pool"), valueOf(cmd, "concurrency"), drain + leaveWithin
}

func TestThePodsOfKubernetesAreWorkersThatTheCommandUnderstands(t *testing.T) {
	var d deployment
	var s scaledObject
	readYAML(t, "workers/deployment.yaml", &d)
	readYAML(t, "workers/scaledobject.yaml", &s)
	pool, concurrency, leaves := startedAs(t, d.Spec.Template.Spec.Containers[0].Args)
	require.Empty(t, pool)
	require.GreaterOrEqual(t, time.Duration(d.Spec.Template.Spec.TerminationGracePeriodSeconds)*time.Second, leaves)

	trigger := s.Spec.Triggers[0]
	require.Equal(t, "deed-worker", s.Spec.ScaleTargetRef.Name)
	require.Equal(t, "nats-jetstream", trigger.Type)
	require.Equal(t, "deed-work", trigger.Metadata["stream"])
	require.Equal(t, "pool-"+queue.DefaultLane, trigger.Metadata["consumer"])
	require.Equal(t, concurrency, trigger.Metadata["lagThreshold"], "a message for each task that a pod executes")
	for name, value := range trigger.Metadata {
		require.IsType(t, "", value, "%s: KEDA takes strings only", name)
	}
}

func TestAPoolInKubernetesScalesOnItsOwnQueue(t *testing.T) {
	var k kustomization
	readYAML(t, "pools/gpu/kustomization.yaml", &k)
	changed := map[string]any{}
	for _, p := range k.Patches {
		var changes []struct {
			Path  string
			Value any
		}
		require.NoError(t, yaml.Unmarshal([]byte(p.Patch), &changes))
		for _, c := range changes {
			changed[c.Path] = c.Value
		}
	}
	var args []string
	for _, arg := range changed["/spec/template/spec/containers/0/args"].([]any) {
		args = append(args, arg.(string))
	}
	pool, concurrency, _ := startedAs(t, args)
	require.Equal(t, "gpu", pool)
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
