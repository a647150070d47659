package natsconn

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	neturl "net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// ConnOptions are the settings of a connection; all are optional.
type ConnOptions struct {
	Name string       // what the server calls this client in its lists; empty: "deed"
	Log  *slog.Logger // lost and regained connections; nil: dropped

	Credentials Credentials // who the client is, unless a token says so
}

// dialTimeout bounds one attempt to reach one server.
const dialTimeout = 5 * time.Second

// Connect connects to a server, or to one of several given as a
// comma-separated list. It does not wait for a server that is not there; but
// once connected, the connection comes back for ever until it is closed. While
// it is away what is published fails at once: nothing is kept back and sent
// late.
func Connect(ctx context.Context, url, token string, o ConnOptions) (*nats.Conn, error) {
	type result struct {
		nc  *nats.Conn
		err error
	}
	credentials, err := o.Credentials.options()
	if err != nil {
		return nil, fmt.Errorf("connect to nats at %q: %w", WithoutUsers(url), &CredentialsError{err})
	}
	done := make(chan result, 1)
	go func() {
		nc, err := nats.Connect(url, append(connOptions(token, o), credentials...)...)
		done <- result{nc, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, connectError(url, o.Credentials, r.err)
		}
		return r.nc, nil
	case <-ctx.Done():
		go func() { // the dial has its own timeout; whatever it still brings is closed
			if r := <-done; r.nc != nil {
				r.nc.Close()
			}
		}()
		return nil, fmt.Errorf("connect to nats at %q: %w", WithoutUsers(url), ctx.Err())
	}
}

// CredentialsError is one of Credentials, before any server saw them.
type CredentialsError struct{ err error }

func (e *CredentialsError) Error() string { return e.err.Error() }
func (e *CredentialsError) Unwrap() error { return e.err }

func connectError(url string, c Credentials, err error) error {
	remedy := "is a server running there, and is the address right?"
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired):
		remedy = "the server wants a token, and this is not it; or it wants the key of a user, --nats-nkey"
		if c != (Credentials{CAFile: c.CAFile}) {
			remedy = "the server does not know this user: is what `deed auth nats` wrote with its nkey in the server's configuration, and was that read again?"
		}
	case errors.As(err, new(x509.UnknownAuthorityError)):
		remedy = "the server's certificate is of an authority that this machine does not know: name its certificate with --nats-ca"
	case errors.As(err, new(x509.HostnameError)):
		remedy = "name the server by a name that its certificate has, or give it one that has this name"
	case errors.Is(err, nats.ErrSecureConnWanted), errors.Is(err, nats.ErrSecureConnRequired):
		remedy = "the server and the address do not agree on TLS: use tls:// for a server that wants it"
	}
	return fmt.Errorf("connect to nats at %q: %w: %s", WithoutUsers(url), withoutAddresses(err), remedy)
}

// withoutAddresses is why a connection was not made, in the same words whichever
// of several servers was tried last, and from whichever port.
func withoutAddresses(err error) error {
	var parsed *neturl.Error
	if errors.As(err, &parsed) {
		err = parsed.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError // connect in one attempt, read in the next
	if errors.As(err, &call) {
		err = call.Err
	}
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		err = errors.New(lookup.Err)
	}
	return err
}

// WithoutUsers is an address, or several with commas, as it may be logged:
// without users and passwords, which may be tokens.
func WithoutUsers(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	at := strings.LastIndex(rest, "@") // of several with users the last is shown
	if !ok || at < 0 {
		return url
	}
	return scheme + "://…" + rest[at:]
}

func connOptions(token string, o ConnOptions) []nats.Option {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	name := o.Name
	if name == "" {
		name = "deed"
	}
	log = log.With("connection", name)
	var refusals refusalLog
	var trouble onceLog
	return []nats.Option{
		nats.Name(name),
		nats.Token(token),
		nats.Timeout(dialTimeout),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(150*time.Millisecond, 150*time.Millisecond),
		// A server that restarts may refuse the token for a moment; giving up for
		// good would need a person.
		nats.IgnoreAuthErrorAbort(),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(10 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("nats connection lost, reconnecting", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			trouble.forget()
			log.Info("nats connection is back", "server", nc.ConnectedUrlRedacted())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			if refused := asPermission(err); refused != nil {
				refusals.say(log, refused)
				return
			}
			if sub != nil {
				log.Warn("nats connection", "error", err, "subject", sub.Subject)
				return
			}
			trouble.say(log, err)
		}),
	}
}
