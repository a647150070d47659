package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/doctor"
)

// How long a server may take to say that it is there, and how long to look at what
// it stands on, for which it has half a minute itself. One that hangs says neither.
const (
	answersWithin  = 5 * time.Second
	examinesWithin = 40 * time.Second
)

// examineServer looks at the way to a server, and has it look at what it stands
// on.
func (a *app) examineServer(ctx context.Context) []doctor.Finding {
	all := a.serverCertificate(ctx)
	answered, cancel := context.WithTimeoutCause(ctx, answersWithin, fmt.Errorf("no answer within %s", answersWithin))
	r, err := a.openServer(answered, nil)
	cancel()
	if err != nil {
		return append(all, doctor.Finding{
			Check: "server", Status: "fail", Found: err.Error(),
			Fix: cmp.Or(strings.TrimSpace(a.remedy(err)), "start `deed serve` or `deed up` there, or give the right address with --server"),
		})
	}
	defer r.Close()
	all = append(all, doctor.Finding{Check: "server", Status: "ok", Found: a.where() + " answers"})
	examined, cancel := context.WithTimeoutCause(ctx, examinesWithin, fmt.Errorf("no answer within %s", examinesWithin))
	defer cancel()
	found, err := r.Remote().Examine(examined)
	var problem *wire.Problem
	switch {
	case errors.As(err, &problem) && problem.Code == wire.CodeForbidden:
		return append(all, doctor.Finding{
			Check: "server-role", Status: "warn", Found: "what the server stands on is for admins: " + problem.Detail,
			Fix: "ask with the token of an admin in DEED_TOKEN",
		})
	case errors.As(err, &problem) && problem.Code == wire.CodeNotFound:
		return append(all, doctor.Finding{
			Check: "versions", Status: "warn", Found: "the server is of an earlier version, which does not examine itself",
			Fix: fmt.Sprintf("start it again with this binary, %s", built().Version),
		})
	case err != nil:
		return append(all, doctor.Finding{
			Check: "server", Status: "fail", Found: fmt.Sprintf("it does not say what it stands on: %v", err), Fix: "look into its log",
		})
	}
	return append(all, found...)
}

// lookWithinTLS is how long a server may take to show its certificate.
const lookWithinTLS = 3 * time.Second

// serverCertificate says how long that of a server is good. It is not believed
// here: one that has expired is looked at, too.
func (a *app) serverCertificate(ctx context.Context) (all []doctor.Finding) {
	at, err := url.Parse(a.server)
	if err != nil || at.Scheme != "https" {
		return nil
	}
	address := at.Host
	if at.Port() == "" {
		address = net.JoinHostPort(at.Hostname(), "443")
	}
	within, cancel := context.WithTimeout(ctx, lookWithinTLS)
	defer cancel()
	dialer := &tls.Dialer{Config: &tls.Config{ServerName: at.Hostname(), InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(within, "tcp", address)
	if err != nil {
		return nil // that it cannot be reached is said of the server
	}
	defer conn.Close()
	if encrypted, ok := conn.(*tls.Conn); ok {
		doctor.Certificate(func(check string, status wire.FindingStatus, found, fix string) {
			all = append(all, doctor.Finding{Check: check, Status: status, Found: found, Fix: fix})
		}, "certificate", a.where(), encrypted.ConnectionState().PeerCertificates, time.Now())
	}
	return all
}
