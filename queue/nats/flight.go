package nats

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/queue"
)

// flight is what a publish has under way.
//
// A server alone answers in the order in which it was asked, so all answers may come
// to one subject, which is cheaper for it and for us. In a cluster, where a refusal
// may overtake what is still being agreed on, each message has a subject of its own.
type flight struct {
	messages []queue.Message
	open     []int // of messages
	labelled bool
	reply    string        // the subject of answers; labelled: that it begins with
	settled  []bool        // labelled: as open
	last     queue.Message // that was sent
	at       string        // the subject that it was sent to
	sent     int           // of open
	underWay int
	bytes    int
	stored   int
	declined int   // by the server
	refused  []int // of messages
	why      error // one of them was
}

func newFlight(messages []queue.Message, open []int, in *inbox, labelled bool) *flight {
	f := &flight{messages: messages, open: open, labelled: labelled, reply: in.reply("")}
	if labelled {
		f.settled = make([]bool, len(open))
	}
	return f
}

// replyOf is the subject for the answer to a message.
func (f *flight) replyOf(n int) string {
	if !f.labelled {
		return f.reply
	}
	return f.reply + strconv.Itoa(n)
}

// answered is which message an answer is for, if it is one that is waited for.
func (f *flight) answered(m *natsgo.Msg) (n int, ok bool) {
	label, ours := strings.CutPrefix(m.Subject, f.reply)
	switch {
	case !ours || f.underWay == 0:
		return 0, false
	case !f.labelled:
		return f.sent - f.underWay, label == ""
	}
	n, err := strconv.Atoi(label)
	if err != nil || n < 0 || n >= f.sent || f.settled[n] {
		return 0, false
	}
	f.settled[n] = true
	return n, true
}

func (f *flight) maySend() bool {
	return f.sent < len(f.open) && len(f.refused) == 0 &&
		f.underWay < window && (f.underWay == 0 || f.bytes < windowBytes)
}

// subject is that of a message: mostly that of the one before.
func (f *flight) subject(s *stream, m queue.Message) string {
	if f.at == "" || m.Key != f.last.Key || m.Lane != f.last.Lane {
		f.last, f.at = m, s.prefix+s.form.subject(m)
	}
	return f.at
}

// settle reads one answer. An error is one that trying again does not help.
func (f *flight) settle(m *natsgo.Msg) error {
	n, ok := f.answered(m)
	if !ok {
		return nil // no answer to anything we asked
	}
	f.underWay--
	message := f.messages[f.open[n]]
	f.bytes -= len(message.Body)
	switch err := answerTo(m); {
	case err == nil:
		f.stored++
	case errors.Is(err, natsgo.ErrNoResponders) || isUnavailable(err):
		f.declined++
		f.refused, f.why = append(f.refused, f.open[n]), err
	default:
		return fmt.Errorf("message %d of %d, key %q: %w", f.open[n]+1, len(f.messages), message.Key, err)
	}
	return nil
}
