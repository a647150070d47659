package api

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/access"
)

// seesStream is sees of a stream.
func (s *server) seesStream(ctx context.Context, stream string) (bool, error) {
	if id, ok := strings.CutPrefix(stream, processPrefix); ok {
		return s.sees(ctx, id)
	}
	return needOfStream(stream).refuse(access.From(ctx)) == nil, nil
}

// needOfStream is what somebody has to be for a stream, or for those that begin
// so. Which there are that are of no process is no secret, other than of
// processes: so who may not read them is told that.
func needOfStream(name string) need {
	switch {
	case strings.HasPrefix(name, processPrefix), strings.HasPrefix(processPrefix, name):
		return viewer
	case name == "retention", strings.HasPrefix(name, "autoscale-"): // settings, and what was decided about workers
		return viewerOfAll
	}
	return adminOfAll
}

// mayRead is nil if who asks may read a stream, or some of those that begin so.
func mayRead(ctx context.Context, name string) error {
	if p := needOfStream(name).refuse(access.From(ctx)); p != nil {
		return p
	}
	return nil
}

// streamsSeen lists the streams that exist for who asks. For a token that is
// for some processes they are those that its list has: so nothing is read of
// the others.
func (s *server) streamsSeen(ctx context.Context, prefix string) ([]string, error) {
	var names []string
	if !access.From(ctx).Scoped() {
		all, err := s.Events.Streams(ctx, prefix)
		if err != nil {
			return nil, err
		}
		for _, stream := range all {
			if seen, err := s.seesStream(ctx, stream); err != nil {
				return nil, err
			} else if seen {
				names = append(names, stream)
			}
		}
		return names, nil
	}
	all, err := s.visible(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if stream := processPrefix + p.ID; strings.HasPrefix(stream, prefix) {
			names = append(names, stream)
		}
	}
	slices.Sort(names)
	return names, nil
}

// ifSeen yields what is read of a stream, and nothing, as of one that is not
// there, if it does not exist for who asks.
func (s *server) ifSeen(ctx context.Context, stream string, read iter.Seq2[events.Commit, error]) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		seen, err := s.seesStream(ctx, stream)
		if err != nil {
			yield(events.Commit{}, err)
			return
		}
		if seen {
			read(yield)
		}
	}
}

// endsSeen yields the last commits of the streams that exist for who asks.
func (s *server) endsSeen(ctx context.Context, prefix string) iter.Seq2[events.Commit, error] {
	if access.From(ctx).Scoped() {
		return s.endsOfVisible(ctx, prefix)
	}
	return func(yield func(events.Commit, error) bool) {
		for c, err := range s.Events.Ends(ctx, prefix) {
			seen := true
			if err == nil {
				seen, err = s.seesStream(ctx, c.Stream)
			}
			if (seen || err != nil) && (!yield(c, err) || err != nil) {
				return
			}
		}
	}
}

// endsOfVisible is what [events.Store.Ends] yields of the visible processes, one by one.
func (s *server) endsOfVisible(ctx context.Context, prefix string) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		streams, err := s.streamsSeen(ctx, prefix)
		if err != nil {
			yield(events.Commit{}, err)
			return
		}
		for _, stream := range streams {
			c, ok, err := s.Events.Last(ctx, stream)
			if damaged := new(events.DamagedError); errors.As(err, &damaged) {
				c, ok, err = events.Commit{Stream: stream}, true, nil
			}
			if (ok || err != nil) && (!yield(c, err) || err != nil) {
				return
			}
		}
	}
}
