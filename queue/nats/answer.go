package nats

import (
	"bytes"
	"encoding/json"
	"errors"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// noResponders is the status by which a server says that nobody listens. One that
// refuses for too many requests sends a status, too, beside the error.
const noResponders = "503"

// answerTo reads what the server said to a publish; nil is stored.
func answerTo(m *natsgo.Msg) error {
	if m.Header != nil && m.Header.Get("Status") == noResponders {
		return natsgo.ErrNoResponders
	}
	if isPlainAck(m.Data) {
		return nil
	}
	var ack struct {
		Error  *jetstream.APIError `json:"error"`
		Stream string              `json:"stream"`
		Seq    uint64              `json:"seq"`
	}
	if err := json.Unmarshal(m.Data, &ack); err != nil || ack.Error == nil && (ack.Stream == "" || ack.Seq == 0) {
		return errors.New("the answer is no acknowledgement: does something else listen to this subject?")
	}
	if ack.Error == nil {
		return nil
	}
	return ack.Error
}

// isPlainAck recognises what a server says to nearly every publish, without the
// cost of reading it as JSON. What looks otherwise may mean the same.
func isPlainAck(data []byte) bool {
	rest, ok := bytes.CutPrefix(data, []byte(`{"stream":"`))
	if !ok {
		return false
	}
	name, rest, ok := bytes.Cut(rest, []byte(`","seq":`))
	rest, closed := bytes.CutSuffix(rest, []byte(`}`))
	if !ok || !closed || len(name) == 0 || len(rest) == 0 || rest[0] == '0' {
		return false
	}
	for _, c := range rest {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
