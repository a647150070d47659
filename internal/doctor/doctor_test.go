package doctor

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/internal/tlstest"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
)

// check is what a check found.
func check(t *testing.T, all []Finding, name string) Finding {
	t.Helper()
	for _, f := range all {
		if f.Check == name {
			return f
		}
	}
	require.Fail(t, "no such check", "%s: %+v", name, all)
	return Finding{}
}

func TestADiskThatIsNearlyFullIsFoundBeforeItIs(t *testing.T) {
	for _, c := range []struct {
		free, size int64
		want       wire.FindingStatus
	}{
		{500 << 30, 1 << 40, OK},
		{60 << 30, 1 << 40, Warn}, // 6 %
		{15 << 30, 1 << 40, Fail}, // 1.5 %
		{100 << 20, 10 << 30, Fail},
		{1 << 30, 10 << 30, Warn},
		{5 << 30, 10 << 30, OK},
		{0, 0, Fail},
	} {
		p := place{
			Folder:  &dataFolder{Dir: "d", Path: t.TempDir(), Served: true},
			Machine: Machine{Disk: func(string) (int64, int64, error) { return c.free, c.size, nil }},
		}
		f := check(t, examine(t.Context(), p), "disk")
		require.Equal(t, c.want, f.Status, "%+v", f)
	}
}

func TestWhateverHangsEndsAnExaminationNoLaterThanItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := place{
			Folder:  &dataFolder{Dir: "d", Path: ".", Served: true},
			Machine: Machine{Stat: func(string) (os.FileInfo, error) { <-release; return os.Stat(".") }},
			Events:  &eventStore{Name: "elsewhere", Open: func(ctx context.Context) (*events.Store, error) { <-ctx.Done(); return nil, ctx.Err() }},
		}
		began := time.Now()
		all := examine(t.Context(), p)
		require.LessOrEqual(t, time.Since(began), checkWithin+2*time.Second)
		require.Equal(t, Fail, check(t, all, "folder").Status)
		require.Contains(t, check(t, all, "folder").Found, "no answer within 12s")
		require.Equal(t, Fail, check(t, all, "events").Status)
		require.Equal(t, OK, check(t, all, "binary").Status)
		close(release)
		synctest.Wait()
	})
}

func TestShardsAreToBeHeldEachByOneReplica(t *testing.T) {
	for _, c := range []struct {
		replicas []orchestrator.Announcement
		want     wire.FindingStatus
		says     string
	}{
		{nil, Fail, "nobody orchestrates"},
		{[]orchestrator.Announcement{{Replica: "a", Shards: queue.AllShards}}, OK, "each shard is held by one"},
		{[]orchestrator.Announcement{{Replica: "a", Shards: 0xff}, {Replica: "b", Shards: ^queue.Shards(0xff)}}, OK, "a, b"},
		{[]orchestrator.Announcement{{Replica: "a", Shards: ^queue.Shards(0xff)}, {Replica: "b"}}, Fail, "nobody holds 8 of 64 shards (0–7); there is a, b"},
		{[]orchestrator.Announcement{{Replica: "a", Shards: queue.AllShards}, {Replica: "b", Shards: 1}}, Warn, "1 shard held by two replicas (0)"},
	} {
		h := heard{replicas: map[string]replica{}}
		for _, a := range c.replicas {
			h.replicas[a.Replica] = replica{Announcement: a}
		}
		r, p := &report{}, place{Ask: anywhere, Role: anywhere}
		p.checkShards(r, h)
		require.Equal(t, c.want, r.findings[0].Status)
		require.Contains(t, r.findings[0].Found, c.says)
	}
}

func TestWhoIsNoLongerThereIsNotHeard(t *testing.T) {
	h := heard{replicas: map[string]replica{}, workers: map[string]worker{}}
	now := time.Now()
	h.announced([]byte(`{"replica":"a","shards":"1"}`), now)
	h.beat([]byte(`{"worker":"w","slots":1}`), now)
	h.announced([]byte(`not JSON`), now)
	h.beat([]byte(`{}`), now)
	require.Len(t, h.replicas, 1)
	require.Len(t, h.workers, 1)
	require.Zero(t, h.replicas["a"].ahead, "an earlier version does not say what time it is")
	h.announced([]byte(`{"replica":"a","shards":"0","leaving":true}`), now)
	h.beat([]byte(`{"worker":"w","slots":1,"leaving":true}`), now)
	require.Empty(t, h.replicas)
	require.Empty(t, h.workers)
}

func TestAnExaminationListensNoLongerThanRolesNeedToSpeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := place{Signals: memqueue.NewSignals(), Machine: Machine{}.withDefaults()}
		began := time.Now()
		h, err := p.hear(t.Context())
		require.NoError(t, err)
		require.Empty(t, h.replicas)
		require.Equal(t, listenForAny, time.Since(began))
	})
}

// What differs here is what deed refuses a stream for: a check that misses
// something would call a stream well with which nothing starts.
func TestWhatTheDoctorFindsInAStreamIsWhatDeedRefusesItFor(t *testing.T) {
	s, err := natsconn.Start(natsconn.ServerOptions{Dir: t.TempDir(), InProcessOnly: true, NoSync: true})
	require.NoError(t, err)
	defer s.Close()
	nc, err := s.Connect(natsconn.ConnOptions{})
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	changes := map[string]func(*jetstream.StreamConfig){
		"nothing":   func(*jetstream.StreamConfig) {},
		"subjects":  func(c *jetstream.StreamConfig) { c.Subjects = []string{"elsewhere.>"} },
		"retention": func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy },
		"storage": func(c *jetstream.StreamConfig) {
			c.Storage, c.PersistMode = jetstream.MemoryStorage, jetstream.DefaultPersistMode
		},
		"max age":       func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"max messages":  func(c *jetstream.StreamConfig) { c.MaxMsgs = 5 },
		"max bytes":     func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 20 },
		"per subject":   func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 },
		"message size":  func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1 << 10 },
		"direct":        func(c *jetstream.StreamConfig) { c.AllowDirect = !c.AllowDirect },
		"no ack":        func(c *jetstream.StreamConfig) { c.NoAck = true },
		"batch publish": func(c *jetstream.StreamConfig) { c.AllowBatchPublish = true },
	}
	for _, k := range streams {
		for name, change := range changes {
			want := k.want(1)
			have := want
			change(&have)
			_ = js.DeleteStream(t.Context(), k.name) // that of the case before
			if _, err := js.CreateStream(t.Context(), have); err != nil {
				continue // the server takes no such stream
			}
			p := place{NATS: &natsServer{Conn: nc, JetStream: js}, Machine: Machine{}.withDefaults()}
			info, err := p.infoOf(t.Context(), js, k.name)
			require.NoError(t, err)
			found := differences(info.Config, want)
			within, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			_, refused := natsconn.EnsureStream(within, js, want)
			cancel()
			require.Equal(t, refused != nil, len(found) > 0, "%s of %s: %v; %+v", name, k.name, refused, found)
		}
	}
}

func TestACertificateIsFoundBeforeItExpires(t *testing.T) {
	ends := time.Now().Add(100 * 24 * time.Hour)
	file, _ := tlstest.New(t).Issue(t, t.TempDir(), ends, "deed.example")
	for now, want := range map[time.Time]wire.FindingStatus{
		time.Now().Add(-48 * time.Hour): Fail,
		time.Now():                      OK,
		ends.Add(-20 * 24 * time.Hour):  Warn,
		ends.Add(time.Hour):             Fail,
	} {
		f := check(t, examine(t.Context(), place{Certificates: []string{file}, Machine: Machine{Now: func() time.Time { return now }}}), "certificate")
		require.Equal(t, want, f.Status, "%s: %+v", now, f)
		require.Contains(t, f.Found, "deed.example")
	}
	require.NoError(t, os.WriteFile(file, []byte("nothing"), 0o600))
	require.Contains(t, check(t, examine(t.Context(), place{Certificates: []string{file}}), "certificate").Found, "holds no certificate")
}

func TestAProbeLeavesNothingInTheBlobStoreAndOneThatIsNotTakenIsFound(t *testing.T) {
	dir := t.TempDir()
	store, err := blob.Open(t.Context(), "file://"+filepath.ToSlash(dir))
	require.NoError(t, err)
	p := place{Blobs: &blobStore{URL: "file://" + dir, Dir: dir, Store: store}}
	require.Equal(t, OK, check(t, examine(t.Context(), p), "blobs").Status)
	names, err := store.Names(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, names)
	require.NoError(t, store.Close())
	require.Equal(t, Fail, check(t, examine(t.Context(), p), "blobs").Status)
}

func TestVersionsOfTheServerAreOrderedAsNumbers(t *testing.T) {
	for version, older := range map[string]bool{"2.9.10": true, "2.11.99": true, "2.12.0": false, "2.15.2": false, "3.0.0": false, "v2.12.1-beta": false, "": true} {
		require.Equal(t, older, isOlder(version, oldest), version)
	}
}
