package eventstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/events"
	natsevents "github.com/deedrun/deed/events/nats"
)

// note is what the server of the queues knows of where the events are.
//
// The stream that holds the events in JetStream is the note as well. If they
// are elsewhere it holds nothing, listens to a subject that nobody uses, and its
// metadata says where. So the server lets only one of the two come to be, and a
// version that does not know of notes refuses the stream for its subject.
type note struct{ Queues }

// Names in storage.
const (
	noteStream  = "DEED_EVENTS"
	noteSubject = "deed.events-elsewhere"
	noteKey     = "deed.events"
)

// check refuses another event store than the one that is noted. Without a note
// it refuses one elsewhere once there are events here.
func (n note) check(ctx context.Context, at Place) (noted bool, err error) {
	stream, err := n.read(ctx)
	if err != nil || stream == nil {
		return false, err
	}
	used, elsewhere := stream.Config.Metadata[noteKey]
	switch {
	case elsewhere && used == at.name, !elsewhere && !at.Elsewhere():
		return true, nil
	case elsewhere && !at.Elsewhere():
		return false, n.refuse(used, at, "give that URL with --events, or in DEED_EVENTS")
	case elsewhere:
		return false, n.refuse(used, at, "give that URL, or, if the database itself has moved, "+n.forget())
	case stream.State.LastSeq > 0:
		return false, n.refuse(jetStream, at, "leave out --events and DEED_EVENTS, or choose another folder with --data")
	}
	return false, nil
}

func (n note) refuse(used string, at Place, remedy string) error {
	return &OtherError{Used: used, Given: at.String(), Remedy: remedy}
}

// forget is how a person makes the note go.
func (n note) forget() string {
	if n.Dir == "" {
		return fmt.Sprintf("remove the stream %s, which holds nothing but this note", noteStream)
	}
	return fmt.Sprintf("remove %q: it holds this note and queues, and what was on these is sent again", filepath.Join(n.Dir, "nats"))
}

// read is the stream; nil if there is none.
func (n note) read(ctx context.Context) (*jetstream.StreamInfo, error) {
	js, err := jetstream.New(n.Conn)
	if err != nil {
		return nil, n.failure(err)
	}
	stream, err := js.Stream(ctx, noteStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, n.failure(err)
	}
	return stream.CachedInfo(), nil
}

// write notes where the events are; somebody else may do so at the same time.
func (n note) write(ctx context.Context, at Place) error {
	js, err := jetstream.New(n.Conn)
	if err != nil {
		return n.failure(err)
	}
	_, err = js.CreateStream(ctx, noteOf(at, natsevents.Config(natsevents.Options{Stream: noteStream, Replicas: n.Replicas})))
	if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return n.failure(err)
	}
	if noted, err := n.check(ctx, at); noted || err != nil {
		return err
	}
	return n.convert(ctx, at)
}

// noteOf is the stream that says where the events are, made of one that would
// hold them.
func noteOf(at Place, config jetstream.StreamConfig) jetstream.StreamConfig {
	config.Subjects, config.Metadata = []string{noteSubject}, map[string]string{noteKey: at.name}
	config.Description = "the events of deed are elsewhere; the metadata says where"
	return config
}

// convert makes a note of the stream of a JetStream event store in which
// nothing has been stored. Whoever appends to it at the same time is either
// before us, and then it stays what it was, or has nowhere to append to.
func (n note) convert(ctx context.Context, at Place) error {
	before, err := n.read(ctx)
	if err != nil {
		return err
	}
	if before == nil {
		return n.failure(errors.New("the stream has just been removed; try again"))
	}
	if _, elsewhere := before.Config.Metadata[noteKey]; elsewhere { // somebody else was faster
		_, err := n.check(ctx, at)
		return err
	}
	js, err := jetstream.New(n.Conn)
	if err != nil {
		return n.failure(err)
	}
	stream, err := js.UpdateStream(ctx, noteOf(at, before.Config))
	if err != nil {
		return n.failure(err)
	}
	if stream.CachedInfo().State.LastSeq == 0 {
		return nil
	}
	if _, err := js.UpdateStream(ctx, before.Config); err != nil {
		return n.failure(err)
	}
	_, err = n.check(ctx, at)
	return err
}

func (n note) failure(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("open event store: note where the events are: %w: %w", events.ErrUnavailable, err)
}
