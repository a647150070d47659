package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/natsconn"
	natsqueue "github.com/deedrun/deed/queue/nats"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// file writes a file of the clinic.
func (c *clinic) file(name, content string) {
	c.Helper()
	path := filepath.Join(c.dir, name)
	require.NoError(c, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(c, os.WriteFile(path, []byte(content), 0o600))
}

func TestTheDoctorFindsThatNobodyOrchestratesAndSaysHowToBegin(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	s := c.natsServer(&server.Options{})
	require.Contains(t, c.advised(c.wrong(s.where, "streams", "warn", "nobody has served deed here yet")), "deed serve --nats")
	s.served(c)
	f := c.wrong(s.where, "orchestrators", "fail", "nobody orchestrates")
	c.keeps(c.advised(f))
	c.well(s.where, "orchestrators")
}

func TestTheDoctorFindsAFolderWhoseServerWasKilledAndSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	up := c.keeps("deed up --data d")
	c.well("--data d", "pools")
	require.NoError(t, up.Process.Kill())
	require.Error(t, up.Wait())
	f := c.wrong("--data d", "orchestrators", "warn", "has ended without saying so")
	c.keeps(c.advised(f))
	c.well("--data d", "orchestrators")
}

const forTheGPU = `
deed: v1
name: render
steps:
  frame: {sh: "true", pool: gpu}
`

func TestTheDoctorFindsTasksThatNoWorkerTakesAndSaysWhichToStart(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.file("render.yaml", forTheGPU)
	c.keeps("deed serve --data d")
	c.well("--data d", "orchestrators")
	c.does("deed submit render.yaml --id movie --data d")
	f := c.wrong("--data d", "pools", "fail", "pool gpu has no worker, and 1 task waits for one")
	require.Equal(t, "deed worker --pool gpu --data d", c.advised(f))
	c.keeps(c.advised(f))
	c.does("deed wait movie --data d --timeout 30s")
	c.well("--data d", "pools")
}

func TestTheDoctorFindsTasksWhoseHandlerNoWorkerOffers(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.file("p.yaml", "deed: v1\nname: p\nsteps:\n  lonely: {run: nobody/knows}\n")
	c.keeps("deed up --data d")
	c.well("--data d", "pools")
	c.does("deed submit p.yaml --id p --data d --await-workers")
	f := c.wrong("--data d", "handlers", "fail", `no worker offers the handler "nobody/knows"`)
	require.Equal(t, "deed why p --data d", c.advised(f))
	c.does(c.advised(f))
}

func TestTheDoctorFindsAMessageInQuarantineAndHowToSendItAgain(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.keeps("deed up --data d")
	c.well("--data d", "orchestrators")
	// What a role of another version could not use, and one of this version can.
	report, err := json.Marshal(task.Envelope{Report: &task.Report{Process: "gone", Worker: "w"}})
	require.NoError(t, err)
	stored, err := json.Marshal(task.Quarantined{From: "inbox", Key: "gone", Reason: "it could not be read", Body: report})
	require.NoError(t, err)
	at := c.server("d")
	nc, err := natsconn.Connect(t.Context(), at.URL, at.Token, natsconn.ConnOptions{})
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.Publish(t.Context(), "deed.queue.quarantine.gone", stored)
	require.NoError(t, err)

	f := c.wrong("--data d", "quarantine", "warn", "1 message could not be used")
	require.Contains(t, f.Fix, "`deed quarantine ls --data d`")
	c.does(c.advised(f))
	c.well("--data d", "quarantine")
}

// address is where the server of a folder is.
type address struct{ URL, Token string }

func (c *clinic) server(folder string) (at address) {
	c.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, folder, "server.json"))
	require.NoError(c, err)
	require.NoError(c, json.Unmarshal(data, &at))
	return at
}

func TestTheDoctorFindsARoleOfAnotherVersion(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	s := c.natsServer(&server.Options{})
	o := s.options(s.ClientURL())
	o.Version = "v0.0.1"
	earlier, err := deed.Open(t.Context(), o)
	require.NoError(t, err)
	defer earlier.Close()
	c.well(s.where, "orchestrators")
	f := c.wrong(s.where, "versions", "warn", "v0.0.1")
	require.Contains(t, f.Fix, "start those again with the same binary")
	earlier.Close()
	c.keeps("deed serve " + s.where)
	c.well(s.where, "versions")
}

func TestTheDoctorFindsAWorkerWhoseClockIsWrong(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	s := c.natsServer(&server.Options{})
	s.served(c)
	works := func(now func() time.Time) *worker.Worker {
		nc, err := natsconn.Connect(t.Context(), s.ClientURL(), "", natsconn.ConnOptions{})
		require.NoError(t, err)
		t.Cleanup(nc.Close)
		lanes, err := natsqueue.OpenLanes(t.Context(), nc, natsqueue.Options{Name: "work", Async: true})
		require.NoError(t, err)
		inbox, err := natsqueue.OpenSharded(t.Context(), nc, natsqueue.Options{Name: "inbox", Async: true})
		require.NoError(t, err)
		store, err := blob.Open(t.Context(), s.blobs)
		require.NoError(t, err)
		w, err := worker.New(worker.Options{
			Work: lanes, Inbox: inbox, Signals: natsqueue.NewSignals(nc), Blobs: store, Version: built().Version, Now: now, Log: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() { ended <- w.Run(t.Context()) }()
		t.Cleanup(func() {
			w.Close()
			<-ended
			_ = store.Close()
		})
		return w
	}
	wrong := works(func() time.Time { return time.Now().Add(-time.Hour) })
	f := c.wrong(s.where, "clock-roles", "fail", "behind this one")
	require.Contains(t, f.Found, "1h0m0s")
	require.Contains(t, f.Fix, "timedatectl set-ntp true")
	wrong.Close()
	works(nil)
	c.well(s.where, "clock-roles")
}

func TestTheDoctorFindsABlobStoreThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("there is no /proc here, which is a directory that nobody can write into")
	}
	c := newClinic(t)
	s := c.natsServer(&server.Options{})
	f := c.wrong(strings.Replace(s.where, s.blobs, "file:///proc", 1), "blobs", "fail", "it cannot be written")
	require.Contains(t, f.Fix, "give the store that all roles use with --blobs")
	c.well(s.where, "blobs")
}

func TestTheDoctorFindsThatTheBlobStoreIsAnotherThanThatOfTheProcesses(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.file("p.yaml", "deed: v1\nname: p\ninputs: [x]\nsteps:\n  copy: {sh: 'cat \"$DEED_IN/x\" > \"$DEED_OUT/y\"', each: x, out: [y]}\noutputs: [y]\n")
	c.file("x/one", strings.Repeat("one\n", 10_000))
	c.does("deed run p.yaml --in x=x --id p --data d")
	c.keeps("deed serve --data d")
	c.well("--data d", "orchestrators")
	c.well("--data d", "blobs-belong")

	at := c.server("d")
	c.token = at.Token
	require.NoError(t, os.Mkdir(filepath.Join(c.dir, "other"), 0o700))
	where := func(dir string) string { return "--nats " + at.URL + " --blobs file://" + filepath.Join(c.dir, dir) }
	f := c.wrong(where("other"), "blobs-belong", "fail", "it is another store than theirs")
	require.Contains(t, f.Fix, "give the store that the roles use")
	c.well(where("d/blobs"), "blobs-belong")

	require.NoError(t, os.RemoveAll(filepath.Join(c.dir, "d", "blobs", "p")))
	f = c.wrong("--data d", "blobs-belong", "fail", "missing in")
	require.Contains(t, f.Fix, "restore them from a copy")
}

func TestTheDoctorFindsThatOthersMayLookIntoTheFolder(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	require.NoError(t, os.Mkdir(filepath.Join(c.dir, "a b"), 0o755))
	c.does(c.advised(c.wrong("--data 'a b'", "folder", "warn", "others may look into a b (mode 0755)")))
	c.well("--data 'a b'", "folder")

	c.keeps("deed up --data d")
	c.well("--data d", "pools")
	c.does("chmod 644 d/server.json")
	c.does(c.advised(c.wrong("--data d", "folder", "fail", "which holds the token of the server")))
	c.well("--data d", "folder")
}

func TestTheDoctorFindsThatFewFilesMayBeOpen(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.file("d/empty", "")
	out, err := c.shell("ulimit -n 300; deed doctor --data d").Output()
	require.Error(t, err)
	require.Contains(t, string(out), "fail  open-files     at most 300 open files: too few for a role\n")
	require.Contains(t, string(out), "`ulimit -n 65536` in a shell, LimitNOFILE=65536 in a systemd unit")
	if c.shell("ulimit -n 65536").Run() == nil {
		out, err = c.shell("ulimit -n 65536; deed doctor --data d").Output()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "ok    open-files     at most 65536\n")
		return
	}
	c.well("--data d", "open-files") // as many as the machine of the test allows
}

func TestTheDoctorFindsAKeyThatAnybodyMayRead(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.file("d/empty", "")
	c.file("worker.nk", "SU...")
	c.does("chmod 644 worker.nk")
	where := "--data d --private-file worker.nk"
	c.does(c.advised(c.wrong(where, "secret-file", "fail", "anybody may read worker.nk (mode 0644)")))
	c.well(where, "secret-file")
}

func TestTheDoctorSeesAsMuchAsItsCredentialsAllow(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.does("deed auth nats --out keys")
	config := filepath.Join(c.dir, "nats.conf")
	c.file("nats.conf", "listen: \"127.0.0.1:-1\"\njetstream: {store_dir: \""+t.TempDir()+"\"}\nmax_payload: 8MB\ninclude keys/nats-accounts.conf\n")
	o, err := server.ProcessConfigFile(config)
	require.NoError(t, err)
	o.NoSigs, o.NoLog = true, true
	s, err := server.NewServer(o)
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	require.True(t, s.ReadyForConnections(20*time.Second))
	require.NoError(t, os.Mkdir(filepath.Join(c.dir, "blobs"), 0o700))
	where := "--nats " + s.ClientURL() + " --blobs file://" + filepath.Join(c.dir, "blobs") + " --nats-nkey keys/"

	c.wrong(where+"monitor.nk", "streams", "warn", "nobody has served deed here yet")
	c.keeps("deed serve " + where + "orchestrator.nk")
	c.well(where+"orchestrator.nk", "orchestrators")
	for _, f := range c.examines(where + "orchestrator.nk") {
		require.True(t, f.Status == "ok" || f.Check == "pools" || f.Check == "blobs-disk", "%+v", f) // there is no worker
	}
	c.well(where+"monitor.nk", "orchestrators")
	c.well(where+"monitor.nk", "events-stream")
	c.wrong(where+"monitor.nk", "pools", "warn", "who only looks may not ask")
	c.wrong(where+"worker.nk", "jetstream", "warn", "these credentials may not look at streams")
	f := c.wrong(where+"none.nk", "nats", "fail", "no such file")
	require.Contains(t, f.Fix, "--nats-nkey")
}
