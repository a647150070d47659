package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// askAgain is how long a client waits for an answer before it repeats its
// command: at first, since that may have come to a replica that just left, and
// at most. Commands are idempotent, so a repeat is harmless.
const (
	askAgain       = time.Second
	askAgainAtMost = 3 * time.Second
)

// Via carries what a person asks to the orchestrator and brings the answer: by
// another way than the inbox and signals, such as the API of a server. Both
// return when they are answered or ctx ends, and report a refusal as a
// *AnswerError, as Client does.
type Via interface {
	Send(ctx context.Context, id string, command process.Command) (Answer, error)
	Look(ctx context.Context, id string) (View, error)
}

// Client is a person's side of the orchestrator: it sends commands to the
// inbox and follows processes in the event store.
type Client struct {
	Events  *events.Store
	Inbox   queue.Sender
	Signals queue.Signals

	// Via, if set, is what Send and Look go by instead of Inbox and Signals.
	Via Via

	// Archive, if set, is where Follow finds processes that are archived.
	Archive *Archive

	// Tracer makes a span of each Send. A process that is started belongs to the
	// trace of its ctx from then on.
	Tracer tracing.Tracer

	// Patient makes Follow wait while the event store is away, and go on. Else
	// that ends it, with an error.
	Patient bool
}

// replyPrefix begins the topics on which clients wait for answers.
const replyPrefix = "reply."

// Start starts a process and returns when its first event is stored. The same
// start again attaches to the process; another one under its ID is refused
// with a *AnswerError.
func (c *Client) Start(ctx context.Context, start process.StartProcess) (Answer, error) {
	return c.Send(ctx, start.ID, start)
}

// Send sends a command to a process and returns when what follows from it is
// stored. A refusal is a *AnswerError. It repeats itself until it is answered
// or ctx ends; what was sent then may still be carried out. A command that must
// not be carried out twice has an ID of its own, see process.Asked.
func (c *Client) Send(ctx context.Context, id string, command process.Command) (Answer, error) {
	if c.Via != nil {
		return c.traceSend(ctx, tracing.Client, id, command, c.Via.Send)
	}
	return c.traceSend(ctx, tracing.Producer, id, command, c.send)
}

func (c *Client) send(ctx context.Context, id string, command process.Command) (Answer, error) {
	topic, replies, err := c.listen()
	if err != nil {
		return Answer{}, fmt.Errorf("ask process %q: %w", id, err)
	}
	defer replies.Stop()
	message, err := commandMessage(id, command, topic)
	if err != nil {
		return Answer{}, fmt.Errorf("ask process %q: %w", id, err)
	}
	message.Trace = tracing.From(ctx)
	for wait := askAgain; ; wait = min(wait+askAgain, askAgainAtMost) {
		if err := c.Inbox.Send(ctx, message); err != nil {
			return Answer{}, fmt.Errorf("ask process %q: %w", id, err)
		}
		select {
		case <-ctx.Done():
			return Answer{}, fmt.Errorf("ask process %q: no answer: %w", id, context.Cause(ctx))
		case <-time.After(wait):
		case reply := <-replies.C():
			return decodeAnswer(id, reply)
		}
	}
}

// commandMessage is a command on its way to the inbox.
func commandMessage(id string, c process.Command, replyTo string) (queue.Message, error) {
	encoded, err := process.EncodeCommand(c)
	if err != nil {
		return queue.Message{}, err
	}
	body, err := json.Marshal(task.Envelope{Command: encoded, ReplyTo: replyTo})
	return queue.Message{Key: id, Body: body}, err
}

func (c *Client) listen() (topic string, replies queue.Listener, err error) {
	topic = replyPrefix + strings.ToLower(ulid.Make().String())
	replies, err = c.Signals.Subscribe(topic)
	return topic, replies, err
}

// Answer is what the sender of a command gets on its reply topic, after the
// events are stored.
type Answer struct {
	Error   string   `json:"error,omitempty"`
	Refused bool     `json:"refused,omitempty"` // sending it again is pointless
	Differs []string `json:"differs,omitempty"`
	Version uint64   `json:"version"`
}

func decodeAnswer(id string, reply []byte) (Answer, error) {
	var a Answer
	if err := json.Unmarshal(reply, &a); err != nil {
		return a, fmt.Errorf("ask process %q: the answer cannot be read: %w", id, err)
	}
	switch {
	case a.Refused:
		return a, &AnswerError{Text: a.Error, Differs: a.Differs}
	case a.Error != "":
		return a, errors.New(a.Error)
	}
	return a, nil
}

// AnswerError is a refusal as it came over the wire. Differs lists how the
// process that has the ID differs, when that is why.
type AnswerError struct {
	Text    string
	Differs []string
}

func (e *AnswerError) Error() string { return e.Text }

// Follow yields the state of a process after each of its commits, beginning
// with what is stored now, until the process has ended or ctx does. A process
// nobody has started yields nothing until somebody does.
func (c *Client) Follow(ctx context.Context, id string) iter.Seq2[process.State, error] {
	return func(yield func(process.State, error) bool) {
		f := following{client: c, id: id, yield: yield}
		for {
			err := f.follow(ctx)
			if err == nil {
				return
			}
			if !c.Patient || !errors.Is(err, events.ErrUnavailable) {
				yield(f.state, fmt.Errorf("follow process %q: %w", id, err))
				return
			}
			select {
			case <-ctx.Done():
				yield(f.state, fmt.Errorf("follow process %q: %w", id, context.Cause(ctx)))
				return
			case <-time.After(retryAfter):
			}
		}
	}
}

// commits is what histories are read from.
func (c *Client) commits() Commits {
	if c.Archive != nil {
		return c.Archive
	}
	return c.Events
}

// following is how far a Follow has come.
type following struct {
	client     *Client
	id         string
	yield      func(process.State, error) bool
	state      process.State
	checkpoint events.Checkpoint
}

// follow goes on from where it is; without an error it is over.
func (f *following) follow(ctx context.Context) error {
	stream, before := streamPrefix+f.id, f.state.Version
	for commit, err := range historyOf(ctx, f.client.commits(), f.id, before) {
		if err == nil {
			err = f.fold(commit)
		}
		if err != nil {
			return err
		}
	}
	if f.state.Version > before && !f.show() {
		return nil
	}
	feed, err := f.client.Events.Subscribe(ctx, stream, f.checkpoint)
	if err != nil {
		return err
	}
	defer feed.Stop()
	for {
		commit, _, err := feed.Next(ctx, true)
		if err == nil && (commit.Stream != stream || commit.Version() <= f.state.Version) {
			continue
		}
		if err == nil && isClosing(commit) {
			feed.Stop()
			return f.follow(ctx) // what came before may be forgotten here, and is to be read elsewhere
		}
		if err == nil {
			err = f.fold(commit)
		}
		if err != nil {
			return err
		}
		if !f.show() {
			return nil
		}
	}
}

// show yields the state, and reports whether there is more to come.
func (f *following) show() bool {
	damage := f.state.Damage()
	return f.yield(f.state, damage) && damage == nil && !f.state.Ended()
}

func (f *following) fold(c events.Commit) error {
	fold := folding{state: f.state}
	if err := fold.addStored(c); err != nil {
		return err
	}
	f.state, f.checkpoint = fold.end(), c.Checkpoint
	return nil
}
