//go:build unix

// Package load runs the definition of this folder against an API that misbehaves and a
// PostgreSQL server, and kills it.
package load

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/examples/load/shop"
)

// TestNoOrderIsLoadedTwiceHoweverOftenItIsKilled kills the real binary, with all that it
// runs, while pages are fetched, before a bucket is loaded, in the middle of its
// transaction, and after that is committed and before anybody knows.
func TestNoOrderIsLoadedTwiceHoweverOftenItIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program, and starts PostgreSQL")
	}
	r := setup(t)
	api := serve(t, 1)
	for _, moment := range []string{"page 2", "page 5", "before", "during", "after", "before", "during", "after"} {
		r.killAt(t, r.deed(t, api, "monday", "nothing.csv"), api, moment)
	}
	r.finish(t, api, "monday", "nothing.csv")

	require.Equal(t, "600 600 1 600", r.ask(t, "SELECT count(*), count(DISTINCT id), min(id), max(id) FROM orders"))
	require.Equal(t, rows(shop.Feed(1)), r.ask(t, "SELECT id, customer, item, cents, placed AT TIME ZONE 'UTC' FROM orders ORDER BY id"))
	require.Equal(t, "8", r.ask(t, "SELECT count(*) FROM loads"))
	require.Greater(t, r.calls(t), 8, "buckets were loaded by more attempts than count")
	require.Contains(t, r.check(t, api), "600 orders, each once, and all 600 of the API among them")

	// On the next day half of what the API has is known.
	api = serve(t, 2)
	r.finish(t, api, "tuesday", filepath.Join(r.dir, "out", "monday", "today"))
	require.Equal(t, rows(append(shop.Feed(1), shop.Feed(2)[shop.PerDay:]...)),
		r.ask(t, "SELECT id, customer, item, cents, placed AT TIME ZONE 'UTC' FROM orders ORDER BY id"))
	require.Equal(t, "600", r.ask(t, "SELECT count(*) FROM orders WHERE task LIKE 'tuesday/%'"))

	// And when nothing has changed since, nothing is loaded, nor is there a transaction.
	before := r.calls(t)
	r.finish(t, api, "again", filepath.Join(r.dir, "out", "tuesday", "today"))
	require.Equal(t, before, r.calls(t))
	require.Contains(t, r.check(t, api), "1200 orders, each once, and all 1200 of the API among them")

	// The check finds what is wrong.
	r.ask(t, "INSERT INTO orders SELECT * FROM orders WHERE id = 7; DELETE FROM orders WHERE id = 9; UPDATE orders SET cents = 1 WHERE id = 11")
	require.Contains(t, r.check(t, api), "wrong: 2 times order 7; order 9 is missing; order 11 is ")
}

// runner is where deed runs: a folder, a database, and a psql that stops where it is told.
type runner struct {
	database
	dir, control, binary string
}

func setup(t *testing.T) *runner {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("the steps need python3")
	}
	r := &runner{database: startPostgres(t), dir: t.TempDir(), control: t.TempDir()}
	r.binary = filepath.Join(r.control, "deed")
	// What go run has built it keeps, and go build links anew each time.
	said, err := exec.CommandContext(t.Context(), "go", "run", "-exec", "cp", "github.com/deedrun/deed/cmd/deed", r.binary).CombinedOutput()
	require.NoError(t, err, "%s", said)

	psql, err := exec.LookPath("psql")
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(r.control, "bin"), 0o700))
	// The one that finds the file "moment" stops there, and is killed with the rest.
	script := fmt.Sprintf(`#!/bin/sh
moment=
case "$*" in *load.sql*)
	echo call >> '%[1]s/calls'
	if mv '%[1]s/moment' '%[1]s/taken' 2>/dev/null; then moment=$(cat '%[1]s/taken'); fi;;
esac
if [ "$moment" = before ]; then touch '%[1]s/reached'; exec sleep 600; fi
'%[2]s' "$@"
code=$?
if [ "$moment" = after ]; then touch '%[1]s/reached'; exec sleep 600; fi
exit $code
`, r.control, psql)
	require.NoError(t, os.WriteFile(filepath.Join(r.control, "bin", "psql"), []byte(script), 0o700)) //nolint:gosec // a program
	return r
}

// server is the API as it is on a day.
type server struct {
	*shop.API
	*httptest.Server
}

func serve(t *testing.T, day int) server {
	t.Helper()
	api := &shop.API{Day: day, Trouble: true}
	s := server{api, httptest.NewServer(api)}
	t.Cleanup(s.Close)
	return s
}

// deed is the run of a day.
func (r *runner) deed(t *testing.T, api server, id, yesterday string) *exec.Cmd {
	t.Helper()
	definition, err := filepath.Abs("process.yaml")
	require.NoError(t, err)
	yesterday, err = filepath.Abs(yesterday)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, r.binary, "run", definition, "--id", id, "--workers", "1", "--lease", "1s", "--param", "page=200",
		"--in", "yesterday="+yesterday, "--param", "api="+api.URL, "--param", "database="+r.url)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "DEED_SECRET_SHOP_PG="+password, "XDG_CONFIG_HOME="+r.dir,
		"PATH="+filepath.Join(r.control, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	return cmd
}

// killAt starts deed, and kills it at a moment.
func (r *runner) killAt(t *testing.T, cmd *exec.Cmd, api server, moment string) {
	t.Helper()
	var reached func() bool
	switch page, isPage := strings.CutPrefix(moment, "page "); {
	case isPage:
		n, err := strconv.Atoi(page)
		require.NoError(t, err)
		reached = func() bool { return api.Requests() >= n }
	case moment == "during":
		defer r.holdInserts(t)()
		reached = func() bool { return r.waiting(t) }
	default:
		mark := filepath.Join(r.control, "reached")
		_ = os.Remove(mark) // that of the round before, if there is one
		require.NoError(t, os.WriteFile(filepath.Join(r.control, "moment"), []byte(moment), 0o600))
		reached = func() bool { _, err := os.Stat(mark); return err == nil }
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	require.Eventually(t, func() bool { return reached() || len(ended) > 0 }, time.Minute, 10*time.Millisecond, "%s: %s", moment, &said)
	require.NoError(t, cmd.Process.Kill(), "%s: it ended before: %s", moment, &said)
	<-ended
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.Equal(t, syscall.SIGKILL, status.Signal(), "%s: %s", moment, &said)
}

// finish runs a day to its end.
func (r *runner) finish(t *testing.T, api server, id, yesterday string) {
	t.Helper()
	said, err := r.deed(t, api, id, yesterday).CombinedOutput()
	require.NoError(t, err, "%s", said)
}

// calls is how often a bucket was to be loaded.
func (r *runner) calls(t *testing.T) int {
	t.Helper()
	calls, err := os.ReadFile(filepath.Join(r.control, "calls"))
	require.NoError(t, err)
	return bytes.Count(calls, []byte("\n"))
}

func (r *runner) ask(t *testing.T, query string) string {
	t.Helper()
	return strings.ReplaceAll(r.database.ask(t, query), "|", " ")
}

func (r *runner) check(t *testing.T, api server) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "python3", "check.py", api.URL, r.url)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password)
	said, _ := cmd.CombinedOutput() // what it says is looked at
	return string(said)
}

func rows(orders []shop.Order) string {
	var lines []string
	for _, o := range orders {
		lines = append(lines, fmt.Sprintf("%d %s %s %d %s", o.ID, o.Customer, o.Item, o.Cents, o.Placed.Format("2006-01-02 15:04:05")))
	}
	return strings.Join(lines, "\n")
}
