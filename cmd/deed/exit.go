package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventstore"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
)

// Exit codes, as the help of deed lists them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitConflict    = 4
	exitUnreachable = 5
	exitCancelled   = 6
	exitTimedOut    = 7
	exitInterrupted = 130
)

// errSaid marks an error that has been printed.
var errSaid = errors.New("said")

// errInterrupted marks a command that a person ended.
var errInterrupted = errors.New("interrupted")

// errTimedOut is a wait that was not worth more time.
var errTimedOut = errors.New("timed out")

// usageError is a command line that makes no sense.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// notFoundError is a process that is not there.
type notFoundError struct{ text string }

func (e *notFoundError) Error() string { return e.text }

// refusedError is what a process will not do, with every reason.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }

// unservedError is something that needs an orchestrator, and there is none.
type unservedError struct{ text string }

func (e *unservedError) Error() string { return e.text }

// exitCode is what a command's error means to a script.
func exitCode(err error) int {
	var usage *usageError
	var faults *deed.FaultsError
	var notFound *notFoundError
	var removed *orchestrator.RemovedError
	var decided *process.RefusedError
	var noFolder *deed.NoFolderError
	var answer *orchestrator.AnswerError
	var unreachable *deed.UnreachableError
	var input *deed.InputError
	var refused *refusedError
	var eventsURL *eventstore.URLError
	var otherEvents *eventstore.OtherError
	var unserved *unservedError
	var insecure *client.InsecureError
	var handshake *client.HandshakeError
	var problem *wire.Problem
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, deed.ErrCancelled):
		return exitCancelled
	case errors.Is(err, errTimedOut):
		return exitTimedOut
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, syscall.ENOSPC): // wherever it struck, it is nobody's command line
		return exitFailed
	case errors.As(err, &problem) && problemExit[problem.Code] != 0:
		return problemExit[problem.Code]
	case errors.As(err, &usage), errors.As(err, &faults), errors.As(err, &input), errors.As(err, &eventsURL), strings.HasPrefix(err.Error(), "unknown command"):
		return exitUsage
	case errors.As(err, &notFound), errors.As(err, &removed), errors.As(err, &noFolder):
		return exitNotFound
	case errors.As(err, &refused), errors.As(err, &insecure), errors.As(err, &decided), errors.As(err, &otherEvents), errors.As(err, &answer) && len(answer.Differs) > 0:
		return exitConflict
	case errors.As(err, &answer):
		return exitUsage
	case errors.As(err, &unserved), errors.As(err, &unreachable), errors.As(err, &handshake), errors.Is(err, events.ErrUnavailable), errors.Is(err, queue.ErrUnavailable):
		return exitUnreachable
	}
	return exitFailed
}

// exactly is the rule for commands that take one argument.
func exactly(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("give one %s, not %d arguments", what, len(args))
		}
		return nil
	}
}

// between is the rule for commands that take several.
func between(what string, least, most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return fmt.Errorf("give the %s", what)
		}
		return nil
	}
}

func oneOf(flag, value string, known []string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return usagef("%s %q: give %s", flag, value, list(known))
}

func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
