package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/queue"
)

// UnreachableError says that a server, or what stands behind it, cannot be
// reached right now. What was asked for may have been done: asking again is
// harmless, as each method says.
type UnreachableError struct {
	Server string
	Err    error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the deed server %s cannot be reached: %v", e.Server, e.Err)
}

// Unwrap makes errors.Is find what callers retry on.
func (e *UnreachableError) Unwrap() []error {
	return []error{e.Err, events.ErrUnavailable, queue.ErrUnavailable}
}

// InsecureError says that a token would be sent where everybody on the way can
// read it. Nothing was sent.
type InsecureError struct{ Server string }

func (e *InsecureError) Error() string {
	return fmt.Sprintf("the token is not sent to %s: on plain http everybody on the way can read it; name the server by https, or come through `ssh -L` to an address of this machine", e.Server)
}

// HandshakeError says that a server is there, and not what its address says: its
// certificate is not believed, or it speaks another protocol. Asking again does
// not help.
type HandshakeError struct {
	Server string
	Err    error
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("the deed server %s is not spoken to: %v", e.Server, e.Err)
}

func (e *HandshakeError) Unwrap() error { return e.Err }

// unreachable is an error of the transport. That of a caller who gave up is his own.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("ask the deed server %s: %w", c.URL(), context.Cause(ctx))
	}
	var sent *url.Error // says once more where it was sent
	if errors.As(err, &sent) {
		err = sent.Err
	}
	if strings.Contains(err.Error(), "HTTP response to HTTPS client") { // net/http has no type for it
		return &HandshakeError{Server: c.URL(), Err: errors.New("it speaks http, not https")}
	}
	if unverified := (*tls.CertificateVerificationError)(nil); errors.As(err, &unverified) {
		return &HandshakeError{Server: c.URL(), Err: unverified.Err}
	}
	return &UnreachableError{Server: c.URL(), Err: err}
}

// meaning is the error that the server had, as far as callers tell it apart.
func meaning(server string, p *wire.Problem) error {
	switch p.Code {
	case wire.CodeUnavailable, wire.CodeLeaving:
		return &behindError{problem: p, server: server}
	case wire.CodeRefused, wire.CodeNoProcess:
		return &refusal{AnswerError: orchestrator.AnswerError{Text: p.Detail, Differs: p.Differs}, problem: p}
	case wire.CodeFaults:
		faults := make([]definition.Fault, len(p.Faults))
		for i, f := range p.Faults {
			faults[i] = f.Definition()
		}
		return &definition.FaultsError{Faults: faults}
	case wire.CodeDamaged:
		return &events.DamagedError{Err: p}
	case wire.CodeNoBlob:
		return fmt.Errorf("%w: %w", blob.ErrNotFound, p)
	case wire.CodeBlobExists:
		return fmt.Errorf("%w: %w", blob.ErrExists, p)
	}
	return p
}

// behindError is that of a server which is there, while what it stands on is not.
type behindError struct {
	problem *wire.Problem
	server  string
}

func (e *behindError) Error() string {
	return fmt.Sprintf("the deed server %s: %s", e.server, e.problem.Detail)
}

func (e *behindError) Unwrap() []error {
	return []error{e.problem, events.ErrUnavailable, queue.ErrUnavailable}
}

// refusal is an *orchestrator.AnswerError and a *wire.Problem.
type refusal struct {
	orchestrator.AnswerError
	problem *wire.Problem
}

func (e *refusal) Unwrap() []error { return []error{&e.AnswerError, e.problem} }

// IsCode reports whether an error is a problem of that code, such as
// wire.CodeNoProcess.
func IsCode(err error, code string) bool {
	var p *wire.Problem
	return errors.As(err, &p) && p.Code == code
}
