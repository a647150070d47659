package esdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/deedrun/deed/events"
)

// connectError says that no connection came about.
type connectError struct{ err error }

// Error leaves out what the client and gRPC wrap around the reason.
func (e *connectError) Error() string {
	reason := e.err.Error()
	if _, last, ok := strings.Cut(reason, "Last Error: "); ok {
		reason = last
	}
	if i := strings.LastIndex(reason, "desc = "); i >= 0 {
		reason = strings.Trim(reason[i+len("desc = "):], `"`)
	}
	if i := strings.Index(reason, "dial tcp"); i >= 0 {
		reason = reason[i:]
	}
	return "connect: " + reason
}

func (e *connectError) Unwrap() error { return e.err }

func damaged(format string, args ...any) error {
	return &events.DamagedError{Err: fmt.Errorf(format, args...)}
}

// code is what the client made of an error; 0 if it made nothing of it.
func code(err error) esdb.ErrorCode {
	var known *esdb.Error // not with FromError, which does not look into wrapped errors
	if errors.As(err, &known) {
		return known.Code()
	}
	return esdb.ErrorCodeUnknown
}

// grpcCode is the status below an error; Unknown if there is none.
func grpcCode(err error) codes.Code {
	var s interface{ GRPCStatus() *status.Status }
	if errors.As(err, &s) {
		return s.GRPCStatus().Code()
	}
	return codes.Unknown
}

func notLeader(err error) bool { return err != nil && code(err) == esdb.ErrorCodeNotLeader }

func conflicting(err error) bool { return code(err) == esdb.ErrorCodeWrongExpectedVersion }

// noStream says that a stream does not exist. The client has the same code for
// a node that answers "not found" since it knows of no leader.
func noStream(err error) bool {
	return code(err) == esdb.ErrorCodeResourceNotFound && grpcCode(err) != codes.NotFound
}

func streamDeleted(err error) bool { return code(err) == esdb.ErrorCodeStreamDeleted }

func unauthenticated(err error) bool {
	return code(err) == esdb.ErrorCodeUnauthenticated || grpcCode(err) == codes.Unauthenticated
}

func denied(err error) bool {
	return code(err) == esdb.ErrorCodeAccessDenied || grpcCode(err) == codes.PermissionDenied
}

// tooLarge says that the server refused an append for its size, and was heard.
func tooLarge(err error) bool {
	return grpcCode(err) == codes.InvalidArgument && strings.Contains(strings.ToLower(err.Error()), "maximum append size")
}

// endedEarly says that the server ended an append before it had all of it, so
// that nothing is written. It does so when an append is too large for it; the
// client sees only that the stream ended, and a lost connection looks the same.
func endedEarly(err error) bool { return errors.Is(err, io.EOF) }

// verdict says that an error is what the server decided, so that asking again
// changes nothing.
func verdict(err error) bool {
	if conflicting(err) || noStream(err) || streamDeleted(err) || unauthenticated(err) || denied(err) || errors.Is(err, errClosed) {
		return true
	}
	var broken *events.DamagedError
	if errors.As(err, &broken) || errors.Is(err, events.ErrTooLarge) || errors.Is(err, errTooOld) {
		return true
	}
	switch grpcCode(err) {
	case codes.InvalidArgument, codes.Unimplemented, codes.FailedPrecondition, codes.OutOfRange:
		return true
	}
	return false
}

// unavailable is every failure that is no verdict: what became of the request
// is not known.
func unavailable(err error) bool { return err != nil && !verdict(err) }

// lost is a failure of a connection that there was: on another one the same may
// succeed.
func lost(err error) bool {
	var none *connectError
	return unavailable(err) && !errors.As(err, &none)
}

// answered says that the server answered, or that our own context ended first:
// then the connection is as good as before.
func answered(ctx context.Context, err error) bool {
	return err == nil || verdict(err) || errors.Is(ctx.Err(), context.Canceled) && grpcCode(err) == codes.Canceled
}

// failure explains an error to the caller, whose own context is ctx.
func (d *driver) failure(ctx context.Context, err error) error {
	at, user := d.settings.address(), d.settings.leader.conf.Username
	if user == "" || d.settings.leader.conf.DisableTLS {
		user = "nobody"
	}
	var conflict *events.ConflictError
	var broken *events.DamagedError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w (what was asked for may have happened)", ctx.Err())
	case errors.Is(err, errClosed), errors.Is(err, events.ErrTooLarge), errors.As(err, &conflict), errors.As(err, &broken):
		return err
	case unauthenticated(err):
		return fmt.Errorf("EventStoreDB at %s does not let %s in: check user and password in the URL, esdb://user:password@host: %w", at, user, err)
	case denied(err):
		return fmt.Errorf("EventStoreDB at %s forbids this to %s: use another user, or have an administrator permit it (reading $all is for $admins unless its ACL says otherwise): %w", at, user, err)
	case streamDeleted(err):
		return fmt.Errorf("the stream was deleted on EventStoreDB at %s, and its name with it: restore a copy of the database, or begin under another name: %w", at, err)
	case unavailable(err):
		return fmt.Errorf("%w: EventStoreDB at %s: %w: check that it runs and that the address and the tls setting of the URL are right", events.ErrUnavailable, at, err)
	}
	return fmt.Errorf("EventStoreDB at %s: %w", at, err)
}
