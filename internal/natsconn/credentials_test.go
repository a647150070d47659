package natsconn_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsconn"
)

func newKey(t *testing.T, prefix nkeys.PrefixByte) (key nkeys.KeyPair, public string, seed []byte) {
	t.Helper()
	key, err := nkeys.CreatePair(prefix)
	require.NoError(t, err)
	public, err = key.PublicKey()
	require.NoError(t, err)
	seed, err = key.Seed()
	require.NoError(t, err)
	return key, public, seed
}

func fileOf(t *testing.T, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

func serve(t *testing.T, o *server.Options) string {
	t.Helper()
	o.Host, o.Port, o.NoLog, o.NoSigs = "127.0.0.1", server.RANDOM_PORT, true, true
	srv, err := server.NewServer(o)
	require.NoError(t, err)
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	require.True(t, srv.ReadyForConnections(10*time.Second))
	return srv.ClientURL()
}

// limited is a server with one user, who may publish to "may" and gets answers.
func limited(t *testing.T) (url string, credentials natsconn.Credentials) {
	t.Helper()
	_, public, seed := newKey(t, nkeys.PrefixByteUser)
	url = serve(t, &server.Options{Nkeys: []*server.NkeyUser{{Nkey: public, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{"may"}},
		Subscribe: &server.SubjectPermission{Allow: []string{natsconn.InboxPrefix(public) + ".>", "may"}},
	}}}})
	return url, natsconn.Credentials{NKeyFile: fileOf(t, seed)}
}

func TestCredentials(t *testing.T) {
	t.Run("a user of an operator is answered where nobody else may listen", func(t *testing.T) {
		operator, operatorName, _ := newKey(t, nkeys.PrefixByteOperator)
		account, accountName, _ := newKey(t, nkeys.PrefixByteAccount)
		_, userName, seed := newKey(t, nkeys.PrefixByteUser)
		signed, err := jwt.NewAccountClaims(accountName).Encode(operator)
		require.NoError(t, err)
		resolver := &server.MemAccResolver{}
		require.NoError(t, resolver.Store(accountName, signed))
		claims := jwt.NewUserClaims(userName)
		claims.Pub.Allow.Add("may")
		claims.Sub.Allow.Add(natsconn.InboxPrefix(userName)+".>", "may")
		token, err := claims.Encode(account)
		require.NoError(t, err)
		text, err := jwt.FormatUserConfig(token, seed)
		require.NoError(t, err)
		url := serve(t, &server.Options{TrustedOperators: []*jwt.OperatorClaims{jwt.NewOperatorClaims(operatorName)}, AccountResolver: resolver})

		nc, err := natsconn.Connect(t.Context(), url, "", natsconn.ConnOptions{Credentials: natsconn.Credentials{CredsFile: fileOf(t, text)}})
		require.NoError(t, err)
		defer nc.Close()
		_, err = nc.Request("may", nil, 5*time.Second)
		require.ErrorIs(t, err, nats.ErrNoResponders, "it is an answer")
	})

	t.Run("what cannot be a user's credentials is said before anybody is asked", func(t *testing.T) {
		_, _, account := newKey(t, nkeys.PrefixByteAccount)
		_, _, user := newKey(t, nkeys.PrefixByteUser)
		for want, c := range map[string]natsconn.Credentials{
			"give one":                             {NKeyFile: "a", CredsFile: "b"},
			"no such file":                         {NKeyFile: filepath.Join(t.TempDir(), "none")},
			"holds none: it is a text that begins": {CAFile: fileOf(t, []byte("no certificate"))},
			"it is no seed of an nkey":             {NKeyFile: fileOf(t, []byte("SUAsecret"))},
			"something else than a user":           {NKeyFile: fileOf(t, account)},
			"they hold no JWT of a user":           {CredsFile: fileOf(t, user)},
			"certificates of the NATS server's au": {CAFile: filepath.Join(t.TempDir(), "none")},
		} {
			_, err := natsconn.Connect(t.Context(), "nats://127.0.0.1:1", "", natsconn.ConnOptions{Credentials: c})
			var wrong *natsconn.CredentialsError
			require.ErrorAs(t, err, &wrong)
			assert.ErrorContains(t, err, want)
			assert.NotContains(t, err.Error(), "SUAsecret")
		}
	})

	t.Run("a server without TLS is not believed where its authority is named", func(t *testing.T) {
		url, c := limited(t)
		c.CAFile = fileOf(t, []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
		_, err := natsconn.Connect(t.Context(), url, "", natsconn.ConnOptions{Credentials: c})
		require.Error(t, err)
	})
}

// lines takes what is logged.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func TestRefusals(t *testing.T) {
	t.Run("a refusal is said once in a while, with what to do", func(t *testing.T) {
		url, c := limited(t)
		said := make(lines, 10)
		nc, err := natsconn.Connect(t.Context(), url, "", natsconn.ConnOptions{Credentials: c, Log: slog.New(slog.NewTextHandler(said, nil))})
		require.NoError(t, err)
		defer nc.Close()
		for range 5 {
			require.NoError(t, nc.Publish("may-not", nil))
		}
		_, err = nc.SubscribeSync("neither")
		require.NoError(t, err)
		assert.Contains(t, <-said, "may not publish to may-not")
		second := <-said
		assert.Contains(t, second, "may not subscribe to neither", "the first is not said again")
		assert.Contains(t, second, "deed auth nats")
	})

	t.Run("one is noticed by who waits, an earlier one and one of something else are not", func(t *testing.T) {
		url, c := limited(t)
		nc, err := natsconn.Connect(t.Context(), url, "", natsconn.ConnOptions{Credentials: c})
		require.NoError(t, err)
		defer nc.Close()
		before := natsconn.WatchRefusals(nc)
		require.NoError(t, before.Of("may"))
		require.NoError(t, nc.Publish("may-not", nil))
		require.NoError(t, nc.Flush())
		require.ErrorIs(t, before.Of("may-not"), nats.ErrPermissionViolation)
		require.NoError(t, before.Of("other"))
		require.NoError(t, natsconn.WatchRefusals(nc).Of("may-not"), "it was before")
	})

	t.Run("a call that JetStream refuses ends at once", func(t *testing.T) {
		url, c := limited(t)
		nc, err := natsconn.Connect(t.Context(), url, "", natsconn.ConnOptions{Credentials: c})
		require.NoError(t, err)
		defer nc.Close()
		call, cancel := natsconn.Call(t.Context(), nc, time.Hour)
		defer cancel()
		_, err = nc.RequestWithContext(call, "$JS.API.STREAM.INFO.x", nil)
		var refused *natsconn.PermissionError
		require.ErrorAs(t, natsconn.Cause(t.Context(), call, err), &refused)
		require.Equal(t, "$JS.API.STREAM.INFO.x", refused.Subject)
	})
}
