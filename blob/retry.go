package blob

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"gocloud.dev/gcerrors"
)

const (
	patience    = 30 * time.Second // trouble that lasts so long is an error
	firstWait   = 100 * time.Millisecond
	longestWait = 5 * time.Second

	answerTime = 30 * time.Second // for an answer, and from one piece of a blob to the next
	sendTime   = time.Minute      // for a blob that is sent in one request
	stallTime  = 5 * time.Minute  // for a store to take a piece of a larger one
)

var errNoAnswer = errors.New("the store did not answer in time")

// noAnswer says what became of a request that was given up. That its context was
// then cancelled is only how, and nobody is to take it for somebody's wish.
func noAnswer(err error) error { return fmt.Errorf("%w (%s)", errNoAnswer, err.Error()) }

// retry does one request, again and again while it fails for reasons that pass.
// What it does may therefore happen twice.
func (s *Store) retry(ctx context.Context, limit time.Duration, request func(context.Context) error) error {
	if s.patience == 0 {
		return request(ctx)
	}
	var t trouble
	for {
		err := once(ctx, limit, request)
		if err == nil {
			return nil
		}
		if err := t.wait(ctx, s.patience, err); err != nil {
			return err
		}
	}
}

func once(ctx context.Context, limit time.Duration, request func(context.Context) error) error {
	attempt, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := request(attempt)
	if err != nil && attempt.Err() != nil && ctx.Err() == nil {
		return noAnswer(err)
	}
	return err
}

// brief is an error of a store elsewhere, in a line: some drivers print the whole answer.
type brief struct{ error }

func (b brief) Unwrap() error { return b.error }

func (b brief) Error() string {
	const most = 300
	words := slices.DeleteFunc(strings.Fields(b.error.Error()), func(word string) bool { return strings.Trim(word, "-") == "" })
	text := strings.Join(words, " ")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// trouble is one failure after another, without progress in between.
type trouble struct {
	tries int
	began time.Time
}

// wait returns when what failed with err may be tried again. If it may not, or
// patience is over, it returns that error.
func (t *trouble) wait(ctx context.Context, patience time.Duration, err error) error {
	if patience > 0 {
		err = brief{err}
	}
	if ctx.Err() != nil || !passes(err) {
		return err
	}
	if t.tries == 0 {
		t.began = time.Now()
	}
	pause := min(longestWait, firstWait<<min(t.tries, 10))
	pause = pause/2 + rand.N(pause/2)
	t.tries++
	since := time.Since(t.began)
	if since+pause > patience {
		return fmt.Errorf("%w (tried %d times in %s)", err, t.tries, since.Round(100*time.Millisecond))
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	case <-time.After(pause):
		return nil
	}
}

// passes reports whether an error of a store may be gone when the same is done
// again. What is not known may.
func passes(err error) bool {
	switch codeOf(err) {
	case gcerrors.NotFound, gcerrors.AlreadyExists, gcerrors.FailedPrecondition, gcerrors.PermissionDenied,
		gcerrors.InvalidArgument, gcerrors.Unimplemented:
		return false
	}
	var certificate *tls.CertificateVerificationError
	var another *CorruptError
	if errors.As(err, &certificate) || errors.As(err, &another) {
		return false
	}
	switch status := httpStatus(err); status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusConflict:
		return true
	default:
		return status < 300 || status >= 500
	}
}
