package natsconn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ensureWithin bounds EnsureStream when its context has no deadline.
const ensureWithin = 15 * time.Second

// EnsureStream creates a stream, or checks that the one that is there has the
// settings that callers rely on. What differs is an error that says so: a
// stream with data is never reconfigured behind its owner's back. Replicas 0
// takes whatever is there.
//
// A cluster that is electing a leader answers 503 for a while; EnsureStream
// tries again until ctx ends, or for 15 seconds if ctx has no deadline.
func EnsureStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (jetstream.Stream, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, ensureWithin)
		defer cancel()
	}
	for {
		stream, err := ensureOnce(ctx, js, want)
		if err == nil {
			return stream, nil
		}
		if !transient(err) {
			return nil, fmt.Errorf("stream %q: %w", want.Name, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("stream %q: gave up waiting for JetStream (is it enabled, and does the cluster have a majority?): %w", want.Name, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func ensureOnce(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (jetstream.Stream, error) {
	call, cancel := Call(ctx, js.Conn(), 5*time.Second)
	defer cancel()
	stream, err := js.Stream(call, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(call, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // somebody else created it just now
			stream, err = js.Stream(call, want.Name)
		}
	}
	if err != nil {
		return nil, Cause(ctx, call, err)
	}
	if diff := differences(stream.CachedInfo().Config, want); len(diff) > 0 {
		return nil, fmt.Errorf("exists with other settings (%s): change these with the nats command line tool, where it can be done, or use another name",
			strings.Join(diff, "; "))
	}
	return stream, nil
}

// transient says that the same call may succeed a moment later.
func transient(err error) bool {
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, nats.ErrDisconnected) || errors.Is(err, nats.ErrReconnectBufExceeded) {
		return true
	}
	const notAvailable = 10008 // "JetStream system temporarily unavailable"
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	never := api.ErrorCode == jetstream.JSErrCodeJetStreamNotEnabled || api.ErrorCode == jetstream.JSErrCodeJetStreamNotEnabledForAccount
	return !never && (api.Code == 503 || api.ErrorCode == notAvailable)
}

// differences lists the settings in which have is not what is wanted. Only
// those that a caller can rely on count; descriptions and placement do not.
func differences(have, want jetstream.StreamConfig) []string {
	var diff []string
	note := func(setting string, have, want any) {
		h, w := fmt.Sprint(have), fmt.Sprint(want)
		if h != w {
			diff = append(diff, fmt.Sprintf("%s is %s, wanted %s", setting, h, w))
		}
	}
	note("subjects", sorted(have.Subjects), sorted(want.Subjects))
	note("retention", have.Retention, want.Retention)
	note("storage", have.Storage, want.Storage)
	note("persist mode", have.PersistMode, want.PersistMode)
	note("discard", have.Discard, want.Discard)
	note("max age", have.MaxAge, want.MaxAge)
	note("max messages", limit(have.MaxMsgs), limit(want.MaxMsgs))
	note("max bytes", limit(have.MaxBytes), limit(want.MaxBytes))
	note("max messages per subject", limit(have.MaxMsgsPerSubject), limit(want.MaxMsgsPerSubject))
	note("max message size", limit(int64(have.MaxMsgSize)), limit(int64(want.MaxMsgSize)))
	note("deny delete", have.DenyDelete, want.DenyDelete)
	if want.DenyPurge { // one that denies more than is wanted is as good, and cannot be changed
		note("deny purge", have.DenyPurge, want.DenyPurge)
	}
	note("allow rollup", have.AllowRollup, want.AllowRollup)
	note("allow direct", have.AllowDirect, want.AllowDirect)
	note("no acknowledgement", have.NoAck, want.NoAck)
	note("sealed", have.Sealed, want.Sealed)
	note("allow batch publish", have.AllowBatchPublish, want.AllowBatchPublish)
	note("allow atomic publish", have.AllowAtomicPublish, want.AllowAtomicPublish)
	if want.Replicas > 0 {
		note("replicas", have.Replicas, want.Replicas)
	}
	if have.Duplicates < want.Duplicates { // a longer one is as good
		note("duplicate window", have.Duplicates, want.Duplicates)
	}
	return diff
}

func sorted(subjects []string) []string { return slices.Sorted(slices.Values(subjects)) }

// limit reads the two ways of writing "none" as one.
func limit(n int64) string {
	if n <= 0 {
		return "unlimited"
	}
	return fmt.Sprint(n)
}
