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
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// askAgain is how long a client waits for an answer before it repeats its
// command. Commands are idempotent, so a repeat is harmless.
const askAgain = 3 * time.Second

// Client is a person's side of the orchestrator: it sends commands to the
// inbox and follows processes in the event store.
type Client struct {
	Events  *events.Store
	Inbox   queue.Queue
	Signals queue.Signals
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
	encoded, err := process.EncodeCommand(command)
	if err != nil {
		return Answer{}, err
	}
	topic, replies, err := c.listen()
	if err != nil {
		return Answer{}, fmt.Errorf("ask process %q: %w", id, err)
	}
	defer replies.Stop()
	body, err := json.Marshal(task.Envelope{Command: encoded, ReplyTo: topic})
	if err != nil {
		return Answer{}, fmt.Errorf("ask process %q: %w", id, err)
	}
	for {
		if err := c.Inbox.Send(ctx, queue.Message{Key: id, Body: body}); err != nil {
			return Answer{}, fmt.Errorf("ask process %q: %w", id, err)
		}
		select {
		case <-ctx.Done():
			return Answer{}, fmt.Errorf("ask process %q: no answer: %w", id, context.Cause(ctx))
		case <-time.After(askAgain):
		case reply := <-replies.C():
			return decodeAnswer(id, reply)
		}
	}
}

// Look asks the orchestrator what it sees of a process, or of all, right now.
// It repeats itself until it is answered or ctx ends.
func (c *Client) Look(ctx context.Context, id string) (View, error) {
	topic, replies, err := c.listen()
	if err != nil {
		return View{}, fmt.Errorf("ask the orchestrator: %w", err)
	}
	defer replies.Stop()
	question, err := json.Marshal(Question{ReplyTo: topic, Process: id})
	if err != nil {
		return View{}, fmt.Errorf("ask the orchestrator: %w", err)
	}
	for {
		if err := c.Signals.Publish(ctx, TopicAsk, question); err != nil {
			return View{}, fmt.Errorf("ask the orchestrator: %w", err)
		}
		select {
		case <-ctx.Done():
			return View{}, fmt.Errorf("ask the orchestrator: no answer: %w", context.Cause(ctx))
		case <-time.After(askAgain / 3):
		case reply := <-replies.C():
			var v View
			if err := json.Unmarshal(reply, &v); err != nil {
				return v, fmt.Errorf("ask the orchestrator: the answer cannot be read: %w", err)
			}
			return v, nil
		}
	}
}

func (c *Client) listen() (topic string, replies queue.Listener, err error) {
	topic = replyPrefix + strings.ToLower(ulid.Make().String())
	replies, err = c.Signals.Subscribe(topic)
	return topic, replies, err
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
		var state process.State
		var checkpoint events.Checkpoint
		stream := streamPrefix + id
		for commit, err := range c.Events.ReadCommits(ctx, stream, 0) {
			if err == nil {
				state, err = foldCommit(state, commit)
			}
			if err != nil {
				yield(state, fmt.Errorf("follow process %q: %w", id, err))
				return
			}
			checkpoint = commit.Checkpoint
		}
		if state.Version > 0 && (!yield(state, state.Damage()) || state.Ended()) {
			return
		}
		feed, err := c.Events.Subscribe(ctx, stream, checkpoint)
		if err != nil {
			yield(state, fmt.Errorf("follow process %q: %w", id, err))
			return
		}
		defer feed.Stop()
		for {
			commit, _, err := feed.Next(ctx, true)
			if err == nil && commit.Stream != stream || err == nil && commit.Version() <= state.Version {
				continue
			}
			if err == nil {
				state, err = foldCommit(state, commit)
			}
			if err == nil {
				err = state.Damage()
			}
			if !yield(state, err) || err != nil || state.Ended() {
				return
			}
		}
	}
}

func foldCommit(s process.State, c events.Commit) (process.State, error) {
	decoded := make([]process.Event, 0, len(c.Events))
	for _, r := range c.Events {
		e, err := process.Decode(process.Stored{Type: r.Type, Schema: r.Schema, Data: r.Data})
		if err != nil {
			return s, err
		}
		decoded = append(decoded, e)
	}
	return process.Fold(s, decoded...), nil
}
