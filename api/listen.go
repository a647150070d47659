package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/deedrun/deed/api/wire"
)

// DefaultAddress is where the API is, unless somebody says otherwise.
const DefaultAddress = "127.0.0.1:8420"

// AddressError is an address that the API does not listen on.
type AddressError struct{ text string }

func (e *AddressError) Error() string { return e.text }

// Listen listens on an address that only this machine can reach, such as
// 127.0.0.1:8420 or localhost:0. Any other is an *AddressError: what others can
// reach has a certificate, see [ListenTLS].
func Listen(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, noAddress(address)
	}
	if !isLocal(host) {
		return nil, notLoopback(address, port)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for the API: %w", err)
	}
	if !isLoopback(listener.Addr()) { // what localhost stands for is up to the machine
		_ = listener.Close()
		return nil, notLoopback(address, port)
	}
	return listener, nil
}

// IsOpen reports whether whoever reaches a listener is on this machine, so that
// he may be let in without a token.
func IsOpen(listener net.Listener) bool { return isLoopback(listener.Addr()) }

func isLoopback(address net.Addr) bool {
	at, err := netip.ParseAddrPort(address.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}

func noAddress(address string) error {
	return &AddressError{fmt.Sprintf("address of the API %q: write it as HOST:PORT, such as %s", address, DefaultAddress)}
}

func notLoopback(address, port string) error {
	if strings.Trim(port, "0") == "" {
		port = "8420"
	}
	return &AddressError{fmt.Sprintf("the API does not listen on %q without a certificate: other machines can reach it, and everybody on the way would read the tokens; "+
		"give --tls-cert FILE and --tls-key FILE, or listen on 127.0.0.1:%s, where this machine alone can, and reach it from elsewhere by `ssh -L %s:127.0.0.1:%s HOST`", address, port, port, port)}
}

// leaveWithin is how long requests have to end when the server does.
const leaveWithin = 10 * time.Second

// Serve answers requests until ctx ends. Watches and other streams end then;
// what else is under way has a moment to.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	streams, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second, // who dribbles a request is not waited for
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), leavingKey{}, streams)
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve the API: %w", err)
	case <-ctx.Done():
	}
	leave()
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	err := server.Shutdown(within)
	if err != nil { // something did not end
		err = server.Close()
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// leavingKey finds in the context of a request what ends when the server is
// about to.
type leavingKey struct{}

// errLeaving is why a stream ends that has no end of its own.
var errLeaving = newProblem(http.StatusServiceUnavailable, wire.CodeLeaving, "this server ends; ask the next one")

// untilLeaving is the context of a stream: that of its request, which a leaving
// server ends early, as does the end of the token that it was asked for with. It
// does not wait long for whoever does not read.
func untilLeaving(w http.ResponseWriter, r *http.Request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(r.Context())
	end := func(why error) {
		cancel(why)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(lastWords))
	}
	stop := func() bool { return true }
	if leaving, ok := r.Context().Value(leavingKey{}).(context.Context); ok {
		stop = context.AfterFunc(leaving, func() { end(errLeaving) })
	}
	var looking sync.WaitGroup
	looking.Go(func() { whileGranted(ctx, r, end) })
	return ctx, func() {
		stop()
		cancel(nil)
		looking.Wait() // it has the answer's connection
	}
}

// Away answers in the place of a server that is not there yet, or not any more.
// That it waits is no reason to end it: so it is alive.
func Away() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		waitForBody(w, r, readWithin)
		if r.URL.Path == "/healthz" {
			_ = writeJSON(w, http.StatusOK, wire.Health{Status: "ok"})
			return
		}
		writeProblem(w, r, newProblem(http.StatusServiceUnavailable, wire.CodeUnavailable, "this server is starting, or ends; ask again"))
	})
}
