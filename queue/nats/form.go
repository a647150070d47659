package nats

import (
	"fmt"
	"strings"

	"github.com/deedrun/deed/queue"
)

// form is how a queue's subjects go on after its prefix. It is storage.
type form int

const (
	plain    form = iota // <key>
	inLanes              // <lane>.<key>
	inShards             // <NN>.<key>, or <NN>.<lane>.<key> for a message of a lane other than the default
)

// subject is where a message lies.
func (f form) subject(m queue.Message) string {
	switch f {
	case inLanes:
		return laneOf(m) + "." + m.Key
	case inShards:
		shard := shardToken(queue.ShardOf(m.Key)) + "."
		if lane := laneOf(m); lane != queue.DefaultLane {
			shard += lane + "."
		}
		return shard + m.Key
	default:
		return m.Key
	}
}

// ofKey matches where all messages of a key lie, and no others.
func (f form) ofKey(key string) []string {
	switch f {
	case inLanes:
		return []string{"*." + key}
	case inShards:
		shard := shardToken(queue.ShardOf(key))
		return []string{shard + "." + key, shard + ".*." + key}
	default:
		return []string{key}
	}
}

// read is the message of a subject, without its body; ok is false for a
// subject that is none of this form.
func (f form) read(subject string) (m queue.Message, ok bool) {
	if f == plain {
		return queue.Message{Key: subject}, true
	}
	before, key, ok := strings.Cut(subject, ".")
	if f == inShards {
		m.Key = key
		if lane, rest, inLane := strings.Cut(key, "."); inLane {
			m.Lane, m.Key = lane, rest
		}
		return m, ok && m.Check() == nil && before == shardToken(queue.ShardOf(m.Key))
	}
	if before != queue.DefaultLane {
		m.Lane = before
	}
	m.Key = key
	return m, ok
}

// laneOf is the name of a message's lane.
func laneOf(m queue.Message) string {
	if m.Lane == "" {
		return queue.DefaultLane
	}
	return m.Lane
}

func shardToken(shard int) string { return fmt.Sprintf("%02d", shard) }
