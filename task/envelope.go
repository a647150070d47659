package task

import "encoding/json"

// Envelope is one message on an inbox: a worker's report, or a command from a
// person or another program. Exactly one of Report and Command is set.
type Envelope struct {
	Report  *Report         `json:"report,omitempty"`
	Command json.RawMessage `json:"command,omitempty"`

	// ReplyTo is the signal topic on which the sender waits for the answer to a
	// command; empty: nobody waits.
	ReplyTo string `json:"replyTo,omitempty"`
}

// Quarantined is a message that could not be used, kept for a person to look at.
type Quarantined struct {
	From   string `json:"from"`           // the queue it came from
	Lane   string `json:"lane,omitempty"` // of that queue; "": the default one
	Key    string `json:"key"`
	Reason string `json:"reason"`
	Body   []byte `json:"body"` // as it was
}
