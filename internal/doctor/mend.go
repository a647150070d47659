package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Mendable are the names of the checks that Mend knows.
func Mendable() []string {
	var all []string
	for _, k := range streams {
		all = append(all, k.check)
	}
	return all
}

// mend gives the stream of a check the settings that it needs, and says what it
// did. What the server changes for no one is made anew, which only happens if
// nobody serves, and nothing is lost that could not be derived again.
func mend(ctx context.Context, p place, check string) (string, error) {
	p.Machine = p.Machine.withDefaults()
	k, err := stream(check)
	if err != nil {
		return "", err
	}
	js := p.NATS.JetStream
	if p.NATS.Off != nil {
		return "", fmt.Errorf("mend %s: %w", check, p.NATS.Off)
	}
	info, err := p.infoOf(ctx, js, k.name)
	switch {
	case err != nil:
		return "", fmt.Errorf("mend %s: %w", check, err)
	case info == nil:
		return "", fmt.Errorf("mend %s: there is no stream %s: whoever orchestrates next makes it", check, k.name)
	case k.check == "events-stream" && p.Events != nil && p.Events.Elsewhere:
		return "", fmt.Errorf("mend %s: the stream only notes that the events are in %s", check, p.Events.Name)
	}
	want := k.want(p.replicas(info))
	wrong := differences(info.Config, want)
	if len(wrong) == 0 {
		return fmt.Sprintf("stream %s is as it has to be", k.name), nil
	}
	for _, d := range wrong {
		if d.fixed {
			return p.makeAnew(ctx, js, k, info, want)
		}
	}
	if _, err := js.UpdateStream(ctx, mended(info.Config, want)); err != nil {
		return "", fmt.Errorf("mend %s: change stream %s: %w", check, k.name, err)
	}
	p.settle(ctx, js, k)
	return fmt.Sprintf("stream %s has the settings that it needs", k.name), nil
}

// settleWithin is how long further servers of a stream may take to elect who
// leads it.
const settleWithin = 15 * time.Second

// settle waits until a stream that may have moved to more servers can be stored
// in again. If it cannot, the next look says so.
func (p *place) settle(ctx context.Context, js jetstream.JetStream, k kept) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	for {
		info, err := p.infoOf(ctx, js, k.name)
		if err == nil && info != nil {
			if _, ill := p.peers(k, info); !ill {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func stream(check string) (kept, error) {
	for _, k := range streams {
		if k.check == check {
			return k, nil
		}
	}
	return kept{}, fmt.Errorf("mend %q: it cannot be mended here; what can is %s", check, strings.Join(Mendable(), ", "))
}

// errServed says that a stream is in use.
var errServed = errors.New("somebody orchestrates: stop every `deed serve` and `deed up` first, and start them again afterwards")

func (p *place) makeAnew(ctx context.Context, js jetstream.JetStream, k kept, info *jetstream.StreamInfo, want jetstream.StreamConfig) (string, error) {
	if k.truth && holdsAny(k, info) {
		return "", fmt.Errorf("mend %s: stream %s would have to be made anew, and holds what cannot be made again: restore it, from a copy of it, into a stream with other settings", k.check, k.name)
	}
	heard, err := p.hear(ctx)
	if err != nil {
		return "", fmt.Errorf("mend %s: ask who orchestrates: %w", k.check, err)
	}
	if len(heard.replicas) > 0 {
		return "", fmt.Errorf("mend %s: %w", k.check, errServed)
	}
	if err := js.DeleteStream(ctx, k.name); err != nil {
		return "", fmt.Errorf("mend %s: %w", k.check, err)
	}
	if _, err := js.CreateStream(ctx, want); err != nil {
		return "", fmt.Errorf("mend %s: stream %s is gone, and could not be made anew: whoever orchestrates next makes it: %w", k.check, k.name, err)
	}
	if k.truth {
		return fmt.Sprintf("stream %s was made anew; there was nothing in it", k.name), nil
	}
	return fmt.Sprintf("stream %s was made anew; who orchestrates next sends again what was in it", k.name), nil
}
