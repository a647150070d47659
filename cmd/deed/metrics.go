package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
)

// metricsFlags are where a role tells what it measures.
type metricsFlags struct {
	listen    string
	tokenFile string

	tlsCert, tlsKey string // of a role that has no other use for a certificate
}

// flags declares them.
func (m *metricsFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&m.listen, "metrics", "", "`HOST:PORT` for Prometheus and for probes: /metrics, /healthz, /readyz (default: none)")
	flags.StringVar(&m.tokenFile, "metrics-token-file", "", "`FILE` with the token that whoever scrapes has to show; needed unless --metrics is on this machine alone")
}

// certificateFlags declares the certificate of a role that listens for nothing else.
func (m *metricsFlags) certificateFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&m.tlsCert, "tls-cert", "", "`FILE` with the certificate of --metrics and its chain (PEM); read again when it changes")
	flags.StringVar(&m.tlsKey, "tls-key", "", "`FILE` with the key of the certificate")
}

// check refuses an address that others can reach without a certificate and a token.
func (m *metricsFlags) check(certificate bool) error {
	switch {
	case m.listen == "" && m.tokenFile != "":
		return usagef("--metrics-token-file belongs to --metrics: give that, too")
	case m.listen == "" && m.tlsCert+m.tlsKey != "":
		return usagef("--tls-cert and --tls-key belong to --metrics: give that, too")
	case m.listen == "":
		return nil
	case (m.tlsCert == "") != (m.tlsKey == ""):
		return usagef("--tls-cert and --tls-key belong together: give both")
	}
	host, port, err := net.SplitHostPort(m.listen)
	if err != nil {
		return usagef("--metrics %s: write it as HOST:PORT, such as 127.0.0.1:9464", m.listen)
	}
	if !isThisMachine(host) && (!certificate || m.tokenFile == "") {
		return usagef("--metrics %s: others can reach that address: give --tls-cert, --tls-key and --metrics-token-file, too, or let it be 127.0.0.1:%s", m.listen, port)
	}
	return nil
}

// isThisMachine reports whether a host is this machine by its name alone.
func isThisMachine(host string) bool {
	if host == "localhost" {
		return true
	}
	at, err := netip.ParseAddr(host)
	return err == nil && at.IsLoopback()
}

// metrics are those of a role that has nowhere else to tell them; nil: nobody asks
// for them.
func (m *metricsFlags) metrics() *deed.Metrics {
	if m.listen == "" {
		return nil
	}
	return deed.NewMetrics(built().Version)
}

// monitored answers whoever watches the role, until ctx ends, or end is called. The
// certificate is one that the role has anyway; nil: its own, if it was given any.
func (a *app) monitored(ctx context.Context, m metricsFlags, certificate *api.Certificate, w *monitor) (end func(), err error) {
	if m.listen == "" {
		return func() {}, nil
	}
	w.tokenFile, w.log = m.tokenFile, a.log()
	if _, err := w.token(); err != nil {
		return nil, err
	}
	detach := func() {}
	if certificate == nil && m.tlsCert != "" {
		if certificate, err = api.LoadCertificate(m.tlsCert, m.tlsKey, w.log); err != nil {
			return nil, &usageError{err}
		}
		detach = w.metrics.Listener().Attach(certificate.Expires)
	}
	var listener net.Listener
	if certificate != nil {
		listener, err = api.ListenTLS(ctx, m.listen, certificate)
	} else {
		listener, err = api.Listen(ctx, m.listen)
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &refusedError{fmt.Sprintf("something listens on %s already: choose another address with --metrics, such as 127.0.0.1:0", m.listen)}
	}
	var no *api.AddressError
	if errors.As(err, &no) {
		return nil, usagef("--metrics: %w", err)
	}
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(a.stderr, "metrics at %s/metrics\n", api.URL(listener, certificate))
	standing, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := api.Serve(standing, listener, w, w.log); err != nil {
			w.log.Error("metrics cannot be scraped any more", "error", err)
		}
	}()
	return func() {
		stop()
		<-ended
		detach()
	}, nil
}
