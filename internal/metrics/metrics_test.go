package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/metrics"
)

// all is a registry in which every role has been and something of everything has happened.
func all(t testing.TB) *metrics.Registry {
	t.Helper()
	r := metrics.New("test")
	o, w, a := r.Orchestrator(), r.Worker(), r.API()
	o.See(&metrics.Seen{Shards: 64, Replicas: 1, Running: 2, Paused: 1, Quiet: time.Second, Pools: []metrics.Pool{
		{Waiting: 3, Unserved: 1, Queued: 2, Running: 1, Backlog: time.Minute, Workers: 2, Draining: 1, Slots: 4},
	}})
	o.Stepped(time.Now(), true)
	o.StepFailed()
	o.TookOver()
	o.Became("completed", time.Second)
	o.Stuck()
	o.StepCompleted(time.Second)
	o.Decided(time.Now())
	o.Committed(3, time.Now())
	o.Conflict()
	o.Received(2)
	o.Messages(metrics.Report, 1)
	o.Tasks(metrics.TasksConfirmed, 3)
	o.Late(1)
	o.Quarantined()
	o.Silent(1)
	w.Attach(func() metrics.WorkerNow { return metrics.WorkerNow{Slots: 2, Executing: 1, Waiting: 1, Draining: true} })
	w.Executed("words/count", "done", time.Second)
	w.Executed("", "failed", time.Second)
	w.NotExecuted("lost", 1)
	w.Read(1)
	w.Written(1)
	w.Reported(2, time.Now())
	w.Failed(metrics.Receiving)
	w.Abandoned()
	w.Quarantined()
	a.Begins()()
	a.Streams()()
	a.Answered("/v1/look", http.MethodGet, 200, false, time.Second)
	r.NATS().Attach(func() metrics.Connection { return metrics.Connection{Connected: true, Reconnects: 1} })
	one, many := 1, uint64(1)
	r.Queues().Attach(func(context.Context) (metrics.Depths, error) {
		return metrics.Depths{
			Quarantine: &one, Streams: []metrics.Stream{{Name: "events", Messages: 1, Bytes: 2, Missing: 1}},
			Storage: &many, StorageLimit: &many, Free: &many, Size: &many,
		}, nil
	})
	r.Listener().Attach(func() time.Time { return time.Unix(1e9, 0) })
	r.Autoscale().Looked(nil)
	r.Autoscale().Decided("gpu", "rose", 3)
	return r
}

var described = regexp.MustCompile(`fqName: "(deed_[a-z0-9_]+)".*variableLabels: \{([^}]*)\}`)

func TestWhatIsRegisteredIsTheCatalogueAndNothingElse(t *testing.T) {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		all(t).Gather().Describe(descs)
	}()
	var registered []string
	for d := range descs {
		if m := described.FindStringSubmatch(d.String()); m != nil {
			registered = append(registered, m[1]+"{"+m[2]+"}")
		}
	}
	var catalogue []string
	for _, m := range metrics.Catalogue {
		catalogue = append(catalogue, m.Name+"{"+strings.Join(m.Labels, ",")+"}")
	}
	require.ElementsMatch(t, catalogue, registered)
}

func TestEveryMetricOfTheCatalogueIsToldAndIsOfItsKind(t *testing.T) {
	families, err := all(t).Gather().Gather()
	require.NoError(t, err)
	told := map[string]string{}
	for _, f := range families {
		told[f.GetName()] = strings.ToLower(f.GetType().String())
	}
	for _, m := range metrics.Catalogue {
		require.Equal(t, m.Kind, told[m.Name], m.Name)
		require.Equal(t, m.Kind == "histogram", len(m.Buckets) > 0, "%s: a histogram has buckets, and nothing else", m.Name)
		require.True(t, slices.IsSorted(m.Buckets), m.Name)
		require.True(t, strings.HasSuffix(m.Help, "."), "%s: the help is a sentence", m.Name)
	}
}

func TestAScrapeIsWrittenAsPrometheusWantsIt(t *testing.T) {
	problems, err := promlint.New(strings.NewReader(scrape(t, all(t)))).Lint()
	require.NoError(t, err)
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "deed_") { // the others are the client library's
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func scrape(t testing.TB, r *metrics.Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

func TestNoLabelTellsProcessesTasksOrWorkersApart(t *testing.T) {
	few := []string{"version", "go", "status", "to", "outcome", "kind", "event", "pool", "place", "handler", "operation", "route", "method", "code", "stream", "direction"}
	for _, m := range metrics.Catalogue {
		for _, l := range m.Labels {
			require.Contains(t, few, l, "%s: is there an end to the values of this label?", m.Name)
		}
	}
}

func TestARequestCannotMakeUpALabel(t *testing.T) {
	r := metrics.New("test")
	r.API().Answered("", "BREW", 418, false, time.Second)
	require.Contains(t, scrape(t, r), `deed_api_requests_total{code="418",method="other",route="none"} 1`)
}

func TestManyPoolsAreToldAsOneSoThatNobodyCanMakeUpSeriesWithoutEnd(t *testing.T) {
	seen := &metrics.Seen{Pools: []metrics.Pool{{Name: "zz-with-workers", Workers: 1}}}
	for i := range 250 {
		seen.Pools = append(seen.Pools, metrics.Pool{Name: fmt.Sprintf("made-up-%03d", i), Waiting: 2})
	}
	r := metrics.New("test")
	r.Orchestrator().See(seen)
	text := scrape(t, r)
	require.Equal(t, 101, strings.Count(text, `place="waiting"`))
	require.Contains(t, text, `deed_queue_tasks{place="waiting",pool="(others)"} 302`)
	require.Contains(t, text, `deed_workers{pool="zz-with-workers"} 1`)
}

func TestWithoutARegistryNothingIsMeasuredAndNobodyHasToAsk(t *testing.T) {
	var r *metrics.Registry
	o, w, a := r.Orchestrator(), r.Worker(), r.API()
	require.Zero(t, o.Now())
	require.Zero(t, w.Now())
	require.NotPanics(t, func() {
		o.See(&metrics.Seen{})
		o.Stepped(time.Time{}, true)
		o.StepFailed()
		o.TookOver()
		o.Became("failed", 0)
		o.Stuck()
		o.StepCompleted(0)
		o.Decided(time.Time{})
		o.Committed(1, time.Time{})
		o.Conflict()
		o.Received(1)
		o.Messages(metrics.Command, 1)
		o.Tasks(metrics.TasksLost, 1)
		o.Late(1)
		o.Quarantined()
		o.Silent(1)
		w.Attach(nil)()
		w.Executed("x", "done", 0)
		w.NotExecuted("lost", 1)
		w.Read(1)
		w.Written(1)
		w.Reported(1, time.Time{})
		w.Failed(metrics.Signalling)
		w.Abandoned()
		w.Quarantined()
		a.Begins()()
		a.Streams()()
		a.Answered("/", http.MethodGet, 200, true, 0)
		r.NATS().Attach(nil)()
		r.Queues().Attach(nil)()
		r.Listener().Attach(nil)()
		r.Autoscale().Looked(nil)
		r.Autoscale().Decided("", "fell", 0)
	})
}

func TestATaskThatIsHandedBackOrDroppedBeforeItsEndHasNoDuration(t *testing.T) {
	r := metrics.New("test")
	r.Worker().Executed("x", "failed", time.Second)
	r.Worker().Executed("x", "returned", time.Hour)
	r.Worker().Executed("x", metrics.Dropped, time.Hour)
	text := scrape(t, r)
	require.Contains(t, text, `deed_worker_tasks_total{handler="x",outcome="returned"} 1`)
	require.Contains(t, text, `deed_worker_tasks_total{handler="x",outcome="dropped"} 1`)
	require.Contains(t, text, `deed_worker_task_duration_seconds_sum{handler="x"} 1`+"\n")
}

func TestCountersOfAConnectionNeverGoBackWhenItIsClosedAndAnotherTakesItsPlace(t *testing.T) {
	r := metrics.New("test")
	first := metrics.Connection{Connected: true, Reconnects: 2, MessagesIn: 10}
	closes := r.NATS().Attach(func() metrics.Connection { return first })
	require.Contains(t, scrape(t, r), "deed_nats_reconnects_total 2")
	first.Reconnects = 3
	closes()
	closes()
	require.Contains(t, scrape(t, r), "deed_nats_connected 0")
	r.NATS().Attach(func() metrics.Connection { return metrics.Connection{Connected: true, Reconnects: 1, MessagesIn: 5} })
	text := scrape(t, r)
	require.Contains(t, text, "deed_nats_reconnects_total 4")
	require.Contains(t, text, `deed_nats_messages_total{direction="in"} 15`)
	require.Contains(t, text, "deed_nats_connected 1")
}

func TestQueuesThatDoNotAnswerDoNotKeepTheRestFromBeingTold(t *testing.T) {
	r := metrics.New("test")
	r.Queues().Attach(func(context.Context) (metrics.Depths, error) { return metrics.Depths{}, errors.New("away") })
	text := scrape(t, r)
	require.Contains(t, text, "deed_build_info")
	require.NotContains(t, text, "deed_quarantine_messages ")
}

func TestFewScrapesAreAnsweredAtATimeHoweverManyComeIn(t *testing.T) {
	r := metrics.New("test")
	asked, answer := make(chan struct{}, 100), make(chan struct{})
	r.Queues().Attach(func(context.Context) (metrics.Depths, error) {
		asked <- struct{}{}
		<-answer
		return metrics.Depths{}, nil
	})
	const many = 20
	codes := make(chan int, many)
	for range many {
		go func() { // each asks for the handler anew
			w := httptest.NewRecorder()
			r.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
			codes <- w.Code
		}()
	}
	<-asked
	told := map[int]int{}
	for range many - 4 { // those that are answered wait for the queues
		told[<-codes]++
	}
	require.Equal(t, map[int]int{http.StatusServiceUnavailable: many - 4}, told)
	close(answer)
	for range 4 {
		told[<-codes]++
	}
	require.Equal(t, 4, told[http.StatusOK])
}

func TestAnOrchestratorThatHasLeftTellsNothingOfWhatItSaw(t *testing.T) {
	r := all(t)
	require.Contains(t, scrape(t, r), "deed_shards_held 64")
	r.Orchestrator().See(nil)
	text := scrape(t, r)
	require.NotContains(t, text, "deed_shards_held 64")
	require.NotContains(t, text, "deed_orchestrator_last_step_timestamp_seconds 1")
}
