package doctor

import (
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// difference is a setting of a stream that is not as deed needs it. One that is
// fixed the server changes for no one: the stream has to be made anew.
type difference struct {
	text  string
	fixed bool
}

// differences are those that [natsconn.EnsureStream] refuses a stream for, each
// with what comes of it.
func differences(have, want jetstream.StreamConfig) (all []difference) {
	may := func(wrong bool, format string, args ...any) {
		if wrong {
			all = append(all, difference{text: fmt.Sprintf(format, args...)})
		}
	}
	never := func(wrong bool, format string, args ...any) {
		if wrong {
			all = append(all, difference{fmt.Sprintf(format, args...), true})
		}
	}
	limited := func(what string, n int64) {
		may(n > 0, "%s %d: what comes beyond it is %s", what, n, whenFull(have))
	}
	never(have.Storage != want.Storage, "it is kept in %s, not in a file: it is gone with the server", have.Storage)
	never(have.PersistMode != want.PersistMode, "%s", persisted(have, want))
	never(have.Retention != want.Retention, "retention %s, not %s: %s", have.Retention, want.Retention, retained(have))
	never(have.Sealed, "it is sealed: nothing can be stored")
	never(have.DenyDelete && !want.DenyDelete, "it denies the deletion of messages, so that none can be acknowledged")
	may(!have.DenyDelete && want.DenyDelete, "single messages may be deleted from it")
	may(have.Replicas < want.Replicas, "it is on %d of the %s that there are: with its disk all of it is lost", have.Replicas, atLeast(want.Replicas))
	may(!slices.Equal(slices.Sorted(slices.Values(have.Subjects)), want.Subjects), "it listens to %v, not to %v", have.Subjects, want.Subjects)
	may(have.MaxAge > 0, "max age %s: what is older vanishes", have.MaxAge)
	limited("max messages", have.MaxMsgs)
	limited("max bytes", have.MaxBytes)
	limited("max messages per subject", have.MaxMsgsPerSubject)
	may(have.MaxMsgSize > 0, "max message size %d: what is larger is refused", have.MaxMsgSize)
	may(have.Discard != want.Discard, "discard %s, not %s: of a stream that is full %s", have.Discard, want.Discard, discarded(have))
	may(have.AllowRollup, "it allows roll-ups, by which a message replaces earlier ones")
	may(have.AllowDirect != want.AllowDirect, "direct reads are %s, not %s", onOff(have.AllowDirect), onOff(want.AllowDirect))
	may(have.NoAck, "it does not acknowledge: nobody knows what is stored")
	may(have.AllowBatchPublish != want.AllowBatchPublish, "batches are %s, not %s", onOff(have.AllowBatchPublish), onOff(want.AllowBatchPublish))
	may(have.AllowAtomicPublish != want.AllowAtomicPublish, "atomic batches are %s, not %s", onOff(have.AllowAtomicPublish), onOff(want.AllowAtomicPublish))
	may(have.Duplicates < want.Duplicates, "duplicate window %s, not %s", have.Duplicates, want.Duplicates)
	return all
}

func atLeast(servers int) string { return fmt.Sprintf("%d servers", servers) }

func persisted(have, want jetstream.StreamConfig) string {
	if have.PersistMode == jetstream.AsyncPersistMode {
		return "it acknowledges before it has written: a power cut takes the end of it"
	}
	return fmt.Sprintf("every message is written before it is acknowledged, not later (%s): it is many times slower", want.PersistMode)
}

func retained(have jetstream.StreamConfig) string {
	if have.Retention == jetstream.LimitsPolicy {
		return "what has been done is never removed"
	}
	return "what has been read is removed"
}

func whenFull(have jetstream.StreamConfig) string {
	if have.Discard == jetstream.DiscardNew {
		return "refused"
	}
	return "dropped, oldest first"
}

func discarded(have jetstream.StreamConfig) string {
	if have.Discard == jetstream.DiscardNew {
		return "what is new is refused"
	}
	return "what is oldest is dropped"
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// mended is a configuration with all that can be changed in it set right, and
// the rest, such as descriptions and placement, as it is.
func mended(have, want jetstream.StreamConfig) jetstream.StreamConfig {
	have.Subjects, have.Discard = want.Subjects, want.Discard
	have.Replicas = max(have.Replicas, want.Replicas)
	have.MaxAge, have.MaxMsgs, have.MaxBytes, have.MaxMsgsPerSubject, have.MaxMsgSize = 0, -1, -1, -1, -1
	have.DiscardNewPerSubject = false
	have.DenyDelete = have.DenyDelete || want.DenyDelete
	have.AllowRollup, have.AllowDirect, have.NoAck = want.AllowRollup, want.AllowDirect, false
	have.AllowBatchPublish, have.AllowAtomicPublish = want.AllowBatchPublish, want.AllowAtomicPublish
	have.Duplicates = max(have.Duplicates, want.Duplicates, 100*time.Millisecond)
	return have
}
