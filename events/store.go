package events

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Store is an event store over a backend. It is safe for many goroutines.
type Store struct {
	driver Driver

	mu     sync.Mutex
	closed bool
	subs   map[*subscription]struct{}
}

// New is a store over a backend. Its Close closes the driver.
func New(driver Driver) *Store {
	return &Store{driver: driver, subs: map[*subscription]struct{}{}}
}

// Append stores the records as one commit and returns the stream's new
// version. When it returns without error the commit is stored for good.
//
// If the stream is not at the expected version nothing is written and the
// error is a *ConflictError. A repeat of an append that was stored, with the
// same commit ID and expected version, is a success and writes nothing, as
// long as nobody appended after it. So on an error that is ErrUnavailable, when
// the answer may have been lost, the caller simply appends again. With Any
// there is no such recognition: a repeat may be stored twice.
func (s *Store) Append(ctx context.Context, stream string, expected Expected, commitID string, records ...Record) (uint64, error) {
	return s.append(ctx, stream, expected, Commit{ID: commitID, Events: records})
}

func (s *Store) append(ctx context.Context, stream string, expected Expected, c Commit) (uint64, error) {
	c.Stream = stream
	c.First, _ = expected.Version()
	var err error
	if c.Events, err = check(stream, c.ID, c.Events); err != nil {
		return 0, fmt.Errorf("append to stream %q: %w", stream, err)
	}
	version, err := s.driver.Append(ctx, stream, expected, c)
	var conflict *ConflictError
	if !errors.As(err, &conflict) {
		return version, err
	}
	first, exact := expected.Version()
	if !exact {
		return 0, err
	}
	last, ok, lastErr := s.driver.Last(ctx, stream)
	if lastErr != nil {
		return 0, lastErr // whether it is our own commit is not known: append again
	}
	if ok && last.ID == c.ID && last.First == first {
		return last.Version(), nil
	}
	return 0, err
}

// Version is the number of events in the stream; 0 if it does not exist.
func (s *Store) Version(ctx context.Context, stream string) (uint64, error) {
	if err := CheckStream(stream); err != nil {
		return 0, fmt.Errorf("version of stream %q: %w", stream, err)
	}
	last, ok, err := s.driver.Last(ctx, stream)
	if err != nil || !ok {
		return 0, err
	}
	return last.Version(), nil
}

// Last is the stream's last commit; ok is false if there is none. It costs one
// read, however long the stream is.
func (s *Store) Last(ctx context.Context, stream string) (c Commit, ok bool, err error) {
	if err := CheckStream(stream); err != nil {
		return Commit{}, false, fmt.Errorf("last commit of stream %q: %w", stream, err)
	}
	return s.driver.Last(ctx, stream)
}

// Streams lists the streams whose name starts with prefix, sorted. It is
// cheap: nothing of them is read.
func (s *Store) Streams(ctx context.Context, prefix string) ([]string, error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, fmt.Errorf("list streams %q: %w", prefix, err)
	}
	return s.driver.Streams(ctx, prefix)
}

// Subscribe feeds every commit of the streams whose name starts with prefix,
// from after the checkpoint on: those stored already, then new ones as they
// come, in the one order of the backend. It ends with ctx.
//
// A subscriber that stores the checkpoint of a commit together with what it
// made of that commit misses none and, after a crash, sees again only what it
// had not stored. One that falls behind delays nobody and loses nothing.
func (s *Store) Subscribe(ctx context.Context, prefix string, after Checkpoint) (Subscription, error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, fmt.Errorf("subscribe to streams %q: %w", prefix, err)
	}
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, fmt.Errorf("subscribe to streams %q: the store is closed", prefix)
	}
	inner, err := s.driver.Subscribe(ctx, prefix, after)
	if err != nil {
		return nil, err
	}
	sub := &subscription{Subscription: inner, store: s}
	s.mu.Lock()
	closed = s.closed
	if !closed {
		s.subs[sub] = struct{}{}
	}
	s.mu.Unlock()
	if closed { // while we were subscribing
		inner.Stop()
		return nil, fmt.Errorf("subscribe to streams %q: the store is closed", prefix)
	}
	return sub, nil
}

// Close stops the store's subscriptions and closes its driver.
func (s *Store) Close() error {
	s.mu.Lock()
	subs := s.subs
	s.subs, s.closed = map[*subscription]struct{}{}, true
	s.mu.Unlock()
	for sub := range subs {
		sub.Subscription.Stop()
	}
	return s.driver.Close()
}

// subscription is a driver's, remembered by its store until it is stopped.
type subscription struct {
	Subscription
	store *Store
}

func (s *subscription) Stop() {
	s.store.mu.Lock()
	delete(s.store.subs, s)
	s.store.mu.Unlock()
	s.Subscription.Stop()
}
