// Package planted holds faults that can be planted into deed, each a switch at
// the one line where a programmer could make that mistake. They exist to test
// the tests: every one of them has to be found by the stepped worlds (see
// docs/reliability.md). Only a build with the tag "planted" has them; in any
// other, Is is constantly false and costs nothing.
package planted

// Fault is a mistake.
type Fault string

// The faults.
const (
	AckBeforeAppend    Fault = "acknowledge the inbox before the append"
	UnfencedAttempt    Fault = "forget to compare the attempt of a report"
	UnfencedGeneration Fault = "forget to compare the generation of a report"
	UncheckedVersion   Fault = "append without the expected version"
	DroppedTimer       Fault = "keep only the first timer"
	OffByOne           Fault = "skip a task where a range is cut"
	LostRetry          Fault = "forget planned retries on a restart"
	ForgottenCommand   Fault = "forget which commands were carried out"
	SendingWhilePaused Fault = "schedule in a pause"
	UnverifiedTakeover Fault = "trust a decision without events that is out of date"
	RepeatedTimer      Fault = "let a timer count that has fired already"
	UnloadedShard      Fault = "take a shard before its processes are loaded"
	ClaimedForEver     Fault = "go on announcing a shard that was let go of"
)

// All lists the faults.
func All() []Fault {
	return []Fault{
		AckBeforeAppend, UnfencedAttempt, UnfencedGeneration, UncheckedVersion, DroppedTimer, OffByOne, LostRetry,
		ForgottenCommand, SendingWhilePaused, UnverifiedTakeover, RepeatedTimer, UnloadedShard, ClaimedForEver,
	}
}
