package api

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strconv"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/access"
)

// streams are the event store, as programs read it that fold histories
// themselves, the command deed among them.
func (r *routes) streams() {
	prefix := textParam("prefix", "What the names of the streams begin with; process-ID is the stream of a process.")
	route(r, viewer, http.MethodGet, "/v1/streams", "List streams of events", r.listStreams)
	r.raw(viewer, http.MethodGet, "/v1/streams/{stream}/commits", "Read a stream, a commit a line", wire.LinesType, text(), r.readStream,
		numberParam("after", "Begin with the commit that holds the event after this one."))
	r.raw(viewer, http.MethodGet, "/v1/streams/{stream}/last", "Read the last commit of a stream", wire.LinesType, text(), r.lastOfStream)
	r.raw(viewer, http.MethodGet, "/v1/ends", "Read the last commits of many streams", wire.LinesType, text(), r.readEnds, prefix)
	r.raw(viewer, http.MethodGet, "/v1/feed", "Follow streams: what is stored, and then what comes, for as long as the connection stays", wire.LinesType, text(), r.feed,
		prefix, numberParam("after", "The checkpoint of the last commit that was seen; 0: from the beginning."))
}

type prefixInput struct {
	Prefix string `query:"prefix" maxLength:"128" doc:"What the names begin with."`
}

type body[T any] struct{ Body T }

func (s *server) listStreams(ctx context.Context, in *prefixInput) (*body[wire.Streams], error) {
	if err := checkPrefix(ctx, in.Prefix); err != nil {
		return nil, err
	}
	names, err := s.streamsSeen(ctx, in.Prefix)
	if names == nil {
		names = []string{}
	}
	return &body[wire.Streams]{wire.Streams{Streams: names}}, err
}

// number reads a number of the query; none is 0.
func number(r *http.Request, name string) (uint64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, newProblem(http.StatusBadRequest, wire.CodeInvalid, "%s=%q: give a number", name, text)
	}
	return n, nil
}

func (s *server) readStream(w http.ResponseWriter, r *http.Request) error {
	after, err := number(r, "after")
	if err != nil {
		return err
	}
	stream := r.PathValue("stream")
	if err := checkStream(r.Context(), stream); err != nil {
		return err
	}
	return s.writeCommits(w, r, func(ctx context.Context) iter.Seq2[events.Commit, error] {
		return s.ifSeen(ctx, stream, s.Events.ReadCommits(ctx, stream, after))
	})
}

func (s *server) readEnds(w http.ResponseWriter, r *http.Request) error {
	prefix := r.URL.Query().Get("prefix")
	if err := checkPrefix(r.Context(), prefix); err != nil {
		return err
	}
	return s.writeCommits(w, r, func(ctx context.Context) iter.Seq2[events.Commit, error] { return s.endsSeen(ctx, prefix) })
}

func (s *server) lastOfStream(w http.ResponseWriter, r *http.Request) error {
	stream := r.PathValue("stream")
	if err := checkStream(r.Context(), stream); err != nil {
		return err
	}
	return s.writeCommits(w, r, func(ctx context.Context) iter.Seq2[events.Commit, error] {
		return s.ifSeen(ctx, stream, func(yield func(events.Commit, error) bool) {
			if c, ok, err := s.Events.Last(ctx, stream); ok || err != nil {
				yield(c, err)
			}
		})
	})
}

// writeCommits writes commits, each as soon as it is read. An error that comes
// first is the answer, a later one the last line.
func (s *server) writeCommits(w http.ResponseWriter, r *http.Request, read func(context.Context) iter.Seq2[events.Commit, error]) error {
	ctx, cancel := untilLeaving(w, r)
	defer cancel()
	next, stop := iter.Pull2(read(ctx))
	defer stop()
	c, err, more := next()
	if err != nil {
		return err
	}
	l := startLines(ctx, w)
	for ; more; c, err, more = next() {
		if err != nil {
			break
		}
		if err := l.commit(c); err != nil {
			return nil // whoever asked has gone
		}
	}
	s.end(ctx, l, err)
	return nil
}

func checkStream(ctx context.Context, stream string) error {
	if err := events.CheckStream(stream); err != nil {
		return newProblem(http.StatusBadRequest, wire.CodeInvalid, "%v", err)
	}
	return mayRead(ctx, stream)
}

// checkPrefix refuses what begins no name: what a name may go on with.
func checkPrefix(ctx context.Context, prefix string) error {
	for piece := range slices.Chunk([]byte(prefix), 64) {
		if events.CheckStream("a"+string(piece)) != nil {
			return newProblem(http.StatusBadRequest, wire.CodeInvalid, "prefix=%q: names of streams have only a-z, 0-9, '.', '_' and '-'", prefix)
		}
	}
	return mayRead(ctx, prefix)
}

// feed writes commits for as long as somebody listens.
func (s *server) feed(w http.ResponseWriter, r *http.Request) error {
	leave, err := s.seats.take(access.From(r.Context()))
	if err != nil {
		return err
	}
	defer leave()
	after, err := number(r, "after")
	if err != nil {
		return err
	}
	prefix := r.URL.Query().Get("prefix")
	if err := checkPrefix(r.Context(), prefix); err != nil {
		return err
	}
	ctx, cancel := untilLeaving(w, r)
	defer cancel()
	sub, err := s.Events.Subscribe(ctx, prefix, events.Checkpoint(after))
	if err != nil {
		if p := s.told(err); p != nil {
			return p
		}
		return newProblem(http.StatusBadRequest, wire.CodeInvalid, "%v", err)
	}
	defer sub.Stop()
	l := startLines(ctx, w)
	if err := l.flush(); err != nil {
		return nil // whoever asked has gone
	}
	s.end(ctx, l, s.pump(ctx, l, sub))
	return nil
}

// pump writes what a subscription gives until it fails, or nobody listens any
// more. What there is at once is written together.
func (s *server) pump(ctx context.Context, l *lineWriter, sub events.Subscription) error {
	caughtUp := false
	for {
		c, ready, err := sub.Next(ctx, false)
		if err != nil {
			return err
		}
		if !ready {
			if !caughtUp {
				caughtUp = true
				l.buf = append(l.buf, wire.LineCaughtUp...)
			}
			if err := l.flush(); err != nil {
				return err
			}
			if c, err = s.await(ctx, l, sub); err != nil {
				return err
			}
		}
		seen, err := s.seesCommit(ctx, c)
		switch {
		case err != nil:
			return err
		case seen:
			err = l.commit(c)
		default: // however much of it there is, the listener hears that the server is there
			err = l.quiet(s.options.Beat)
		}
		if err != nil {
			return err
		}
	}
}

// await waits for a commit, and says meanwhile that the server is still there.
func (s *server) await(ctx context.Context, l *lineWriter, sub events.Subscription) (events.Commit, error) {
	for {
		within, cancel := context.WithDeadline(ctx, l.told.Add(s.options.Beat)) // whatever came that is not for the listener
		c, _, err := sub.Next(within, true)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return c, err
		}
		if err := l.line(wire.LineAlive); err != nil {
			return c, err
		}
	}
}
