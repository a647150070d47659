package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// Permanent marks an error of a handler as one that another attempt cannot
// cure. Every other error is tried again, as often as the step says. The mark
// survives wrapping, and outweighs [RetryAfter]; Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// maxRetryAfter is the longest time that RetryAfter asks for.
const maxRetryAfter = 24 * time.Hour

// RetryAfter marks an error of a handler as one that another attempt may cure,
// but not before d has passed: a service says when to come back. The attempt is
// spent like any other. d is at most a day; zero and less mean as long
// as the step says. The mark survives wrapping; RetryAfter(d, nil) is nil.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{err, min(max(d, 0), maxRetryAfter)}
}

type retryAfterError struct {
	err   error
	after time.Duration
}

func (e *retryAfterError) Error() string { return e.err.Error() }
func (e *retryAfterError) Unwrap() error { return e.err }

// Why the context of a task ends before its handler does.
var (
	errLeaseLost = errors.New("the lease on the message was lost")
	errCancelled = errors.New("the task was cancelled")
	errHandBack  = errors.New("the worker is leaving")
)

// timeoutError ends the context of a task that ran too long.
type timeoutError struct{ limit time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("ran longer than its timeout of %s", task.Duration(e.limit))
}

func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// verdict turns the error of an execution whose context is ctx into the
// failure to report. Secrets are concealed before a text is cut: the half of one
// would not be known again.
func verdict(ctx context.Context, err error, conceal func(string) string) *task.Failure {
	said := conceal(errorText(err))
	var timeout *timeoutError
	var permanent *permanentError
	var later *retryAfterError
	var panicked *panicError
	switch {
	case errors.As(context.Cause(ctx), &timeout):
		text := timeout.Error()
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			text += ": " + said
		}
		return &task.Failure{Error: bounded(text), Verdict: task.TimedOut}
	case errors.As(err, &permanent), blob.Lasting(err):
		return &task.Failure{Error: bounded(said), Verdict: task.Permanent}
	case errors.As(err, &later):
		return &task.Failure{Error: bounded(said), Verdict: task.Retry, After: task.Duration(later.after)}
	case errors.As(err, &panicked):
		return &task.Failure{Error: bounded(conceal(panicked.report())), Verdict: task.Retry}
	}
	return &task.Failure{Error: bounded(said), Verdict: task.Retry}
}

// errorText asks an error for its text. fmt survives one that panics.
func errorText(err error) string { return fmt.Sprintf("%v", err) }

// bounded cuts a text to what a report carries, valid UTF-8: it keeps the head,
// which says what failed, and the tail, which often says why.
func bounded(text string) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= task.MaxError {
		return text
	}
	const head, tail = task.MaxError * 3 / 5, task.MaxError*2/5 - 48
	left := len(text) - head - tail
	return strings.ToValidUTF8(text[:head], "") +
		fmt.Sprintf(" … [%d bytes left out] … ", left) +
		strings.ToValidUTF8(text[len(text)-tail:], "")
}
