//go:build unix

package load

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const password = "s3cret of the shop"

// database is a PostgreSQL server of the test's own, on a socket in a folder that goes
// with it.
type database struct{ url string }

// startPostgres starts it, with the tables of schema.sql. Where PostgreSQL is not
// installed the test skips.
func startPostgres(t *testing.T) database {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	require.NoError(t, err)
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if _, err := exec.LookPath("psql"); err != nil || len(found) == 0 {
		t.Skip("PostgreSQL is not installed: apt-get install postgresql")
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "deed-pg") //nolint:usetesting // that of t is too long for a socket, and closed to another user
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	secret := filepath.Join(dir, "password")
	require.NoError(t, os.WriteFile(secret, []byte(password), 0o600))
	as := otherThanRoot(t, dir, secret)

	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(t.Context(), filepath.Join(bin, "initdb"), "-D", data, "-U", "shop", "--auth=scram-sha-256", "--pwfile="+secret, "-N", "-E", "UTF8", "--locale=C")
	initdb.SysProcAttr, initdb.Dir = as, dir
	said, err := initdb.CombinedOutput()
	require.NoError(t, err, "%s", said)

	var log bytes.Buffer
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off")
	server.SysProcAttr, server.Dir, server.Stdout, server.Stderr = as, dir, &log, &log
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGQUIT) // at once, with all its children
		_ = server.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	db := database{"postgresql://shop@/postgres?host=" + dir}
	require.Eventually(t, func() bool { return db.psql(t, "-c", "SELECT 1").Run() == nil }, time.Minute, 50*time.Millisecond)
	said, err = db.psql(t, "-f", "schema.sql").CombinedOutput()
	require.NoError(t, err, "%s", said)
	return db
}

// otherThanRoot is who PostgreSQL is, which refuses to be root, and gives them the files.
func otherThanRoot(t *testing.T, files ...string) *syscall.SysProcAttr {
	t.Helper()
	as := &syscall.SysProcAttr{Setpgid: true} // an interrupt of the test is not for it
	if os.Getuid() != 0 {
		return as
	}
	found, err := user.Lookup("postgres")
	if err != nil {
		t.Skip("the tests run as root, which PostgreSQL refuses, and there is no user postgres: run them as another user")
	}
	uid, err := strconv.Atoi(found.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(found.Gid)
	require.NoError(t, err)
	for _, name := range files {
		require.NoError(t, os.Chown(name, uid, gid))
	}
	require.NoError(t, os.Chmod(files[0], 0o700)) //nolint:gosec // a folder
	as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return as
}

func (db database) psql(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "psql", append([]string{"-XqAt", "-v", "ON_ERROR_STOP=1", "-d", db.url}, args...)...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password)
	return cmd
}

func (db database) ask(t *testing.T, query string) string {
	t.Helper()
	out, err := db.psql(t, "-c", query).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// holdInserts makes transactions that have put rows into orders wait, until release.
// The wait is seen by waiting.
func (db database) holdInserts(t *testing.T) (release func()) {
	t.Helper()
	db.ask(t, `CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END';
		CREATE OR REPLACE TRIGGER hold AFTER INSERT ON orders EXECUTE FUNCTION hold()`)
	holder := db.psql(t)
	in, err := holder.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	_, err = fmt.Fprintln(in, "SELECT pg_advisory_lock(1);")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return db.ask(t, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted") == "1"
	}, time.Minute, 20*time.Millisecond)
	return func() {
		require.NoError(t, in.Close()) // the end of the session
		require.NoError(t, holder.Wait())
	}
}

func (db database) waiting(t *testing.T) bool {
	t.Helper()
	return db.ask(t, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'advisory'") == "t"
}
