package storetest

import (
	"context"
	"iter"
	"sync/atomic"

	"github.com/deedrun/deed/events"
)

// lab is a backend that works, and what the flawed drivers over it share.
type lab struct {
	events.Driver
	end atomic.Uint64 // checkpoint of the last commit
}

// flawed is a driver over one that works. What is wrong with it takes the place
// of a method; the others are right.
type flawed struct {
	*lab
	append    func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error)
	read      func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error]
	last      func(ctx context.Context, stream string) (events.Commit, bool, error)
	subscribe func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error)
	streams   func(ctx context.Context, prefix string) ([]string, error)
	endOf     func(ctx context.Context, stream string) (events.Commit, bool, error) // one of Ends
	truncate  func(ctx context.Context, stream string, before uint64) error
	close     func() error
}

func (f *flawed) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	do := f.append
	if do == nil {
		do = f.Driver.Append
	}
	version, err := do(ctx, stream, expected, c)
	if last, ok, _ := f.Driver.Last(context.Background(), stream); ok {
		for {
			end := f.end.Load()
			if uint64(last.Checkpoint) <= end || f.end.CompareAndSwap(end, uint64(last.Checkpoint)) {
				break
			}
		}
	}
	return version, err
}

func (f *flawed) Read(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	if f.read != nil {
		return f.read(ctx, stream, after)
	}
	return f.Driver.Read(ctx, stream, after)
}

func (f *flawed) Last(ctx context.Context, stream string) (events.Commit, bool, error) {
	if f.last != nil {
		return f.last(ctx, stream)
	}
	return f.Driver.Last(ctx, stream)
}

func (f *flawed) Subscribe(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
	if f.subscribe != nil {
		return f.subscribe(ctx, prefix, after)
	}
	return f.Driver.Subscribe(ctx, prefix, after)
}

func (f *flawed) Streams(ctx context.Context, prefix string) ([]string, error) {
	if f.streams != nil {
		return f.streams(ctx, prefix)
	}
	return f.Driver.Streams(ctx, prefix)
}

func (f *flawed) Ends(ctx context.Context, prefix string) iter.Seq2[events.Commit, error] {
	endOf := f.endOf
	if endOf == nil {
		endOf = f.Driver.Last
	}
	return func(yield func(events.Commit, error) bool) {
		streams, err := f.Driver.Streams(ctx, prefix)
		if err != nil {
			yield(events.Commit{}, err)
			return
		}
		for _, stream := range streams {
			if c, ok, err := endOf(ctx, stream); (ok || err != nil) && !yield(c, err) {
				return
			}
		}
	}
}

func (f *flawed) Truncate(ctx context.Context, stream string, before uint64) error {
	if f.truncate != nil {
		return f.truncate(ctx, stream, before)
	}
	return f.Driver.Truncate(ctx, stream, before)
}

func (f *flawed) Close() error {
	if f.close != nil {
		return f.close()
	}
	return f.Driver.Close()
}

// version is the right one.
func (l *lab) version(stream string) uint64 {
	c, _, _ := l.Driver.Last(context.Background(), stream)
	return c.Version()
}

// commits are all of a stream, as they are.
func (l *lab) commits(stream string) []events.Commit {
	var list []events.Commit
	for c := range l.Driver.Read(context.Background(), stream, 0) {
		list = append(list, c)
	}
	return list
}

// yielding is a read that gives these.
func yielding(list []events.Commit) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		for _, c := range list {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// altering is a read of which each commit is changed, or left out.
func (l *lab) altering(change func(c *events.Commit) (keep bool)) func(context.Context, string, uint64) iter.Seq2[events.Commit, error] {
	return func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
		return func(yield func(events.Commit, error) bool) {
			for c, err := range l.Driver.Read(ctx, stream, after) {
				if err == nil && !change(&c) {
					continue
				}
				if !yield(c, err) {
					return
				}
			}
		}
	}
}

// feed is a subscription over one that works.
type feed struct {
	events.Subscription
	next func(ctx context.Context, wait bool) (events.Commit, bool, error)
	stop func()
}

func (f *feed) Next(ctx context.Context, wait bool) (events.Commit, bool, error) {
	if f.next != nil {
		return f.next(ctx, wait)
	}
	return f.Subscription.Next(ctx, wait)
}

func (f *feed) Stop() {
	if f.stop != nil {
		f.stop()
		return
	}
	f.Subscription.Stop()
}

// feeding subscribes, with each commit replaced by what change makes of it:
// none, one or more. A new change is made for each subscription.
func (l *lab) feeding(begin func(after events.Checkpoint) (change func(c events.Commit) []events.Commit)) func(context.Context, string, events.Checkpoint) (events.Subscription, error) {
	return func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
		inner, err := l.Driver.Subscribe(ctx, prefix, after)
		if err != nil {
			return nil, err
		}
		change := begin(after)
		var ready []events.Commit
		return &feed{Subscription: inner, next: func(ctx context.Context, wait bool) (events.Commit, bool, error) {
			for len(ready) == 0 {
				c, ok, err := inner.Next(ctx, wait)
				if err != nil || !ok {
					return c, ok, err
				}
				ready = change(c)
			}
			c := ready[0]
			ready = ready[1:]
			return c, true, nil
		}}, nil
	}
}

// changed makes a change for feeding that is the same for all subscriptions.
func changed(change func(c *events.Commit)) func(events.Checkpoint) func(events.Commit) []events.Commit {
	return func(events.Checkpoint) func(events.Commit) []events.Commit {
		return func(c events.Commit) []events.Commit {
			change(&c)
			return []events.Commit{c}
		}
	}
}

var _ events.EndsDriver = (*flawed)(nil)

// turn is a lock whose waiters a test bubble sees.
type turn chan struct{}

func (t turn) take() { t <- struct{}{} }
func (t turn) give() { <-t }
func newTurn() turn  { return make(turn, 1) }
