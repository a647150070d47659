package esdbtest

import (
	"context"
	"math"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type reading = streams.Streams_ReadServer

// Read reads a stream or $all, or subscribes to $all.
func (n *node) Read(r *streams.ReadReq, call reading) error {
	o := r.GetOptions()
	kind := Read
	if o.GetSubscription() != nil {
		kind = Subscribe
	}
	after, err := n.begin(call.Context(), kind, call.SetTrailer)
	if err != nil {
		return err
	}
	if err := n.let(call.Context(), call.SetTrailer); err != nil {
		return err
	}
	switch {
	case kind == Subscribe && o.GetAll() != nil:
		return n.subscribe(o, call, after)
	case kind == Subscribe:
		return status.Error(codes.Unimplemented, "this double has subscriptions to $all only")
	case o.GetAll() != nil:
		list, _ := n.server.cluster.log.all()
		return n.send(call, page(list, placeInAll(list, o), o), after)
	}
	name := string(o.GetStream().GetStreamIdentifier().GetStreamName())
	list, first, gone := n.server.cluster.log.of(name)
	switch {
	case gone:
		return deleted(name, call.SetTrailer)
	case len(list) == first:
		return call.Send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{StreamNotFound: &streams.ReadResp_StreamNotFound{
			StreamIdentifier: o.GetStream().GetStreamIdentifier(),
		}}})
	}
	return n.send(call, page(list[first:], placeInStream(list, first, o), o), after)
}

// send sends the events of a read, or as many as come before a cut.
func (n *node) send(call reading, list []*record, after Fault) error {
	if after.kind == cutAfter {
		list = list[:min(len(list), after.events)]
	}
	for _, r := range list {
		if err := call.Send(event(r)); err != nil {
			return err
		}
	}
	if after.kind == cutAfter {
		return n.cut(call.Context())
	}
	return nil
}

// page is what a read of a list asks for: forwards from the index `at` on, or
// backwards from the one before it.
func page(list []*record, at int, o *streams.ReadReq_Options) []*record {
	count := int(min(o.GetCount(), math.MaxInt32))
	if o.GetReadDirection() == streams.ReadReq_Options_Forwards {
		at = min(at, len(list))
		return list[at:min(len(list), at+count)]
	}
	back := slices.Clone(list[max(0, at-count):at])
	slices.Reverse(back)
	return back
}

// placeInStream is the index in list[first:] where a read begins. Forwards and
// backwards it includes the revision that is named.
func placeInStream(list []*record, first int, o *streams.ReadReq_Options) int {
	end := len(list) - first
	backwards := o.GetReadDirection() == streams.ReadReq_Options_Backwards
	switch from := o.GetStream().GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		at := int(min(from.Revision, uint64(len(list)))) - first
		if backwards {
			at++
		}
		return min(max(at, 0), end)
	case *streams.ReadReq_Options_StreamOptions_End:
		return end
	}
	return 0
}

// placeInAll is the same for $all: forwards it includes the position that is
// named, backwards it does not.
func placeInAll(list []*record, o *streams.ReadReq_Options) int {
	switch from := o.GetAll().GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		return sort.Search(len(list), func(i int) bool { return list[i].position >= from.Position.GetCommitPosition() })
	case *streams.ReadReq_Options_AllOptions_End:
		return len(list)
	}
	return 0
}

// subscribe sends what the filter lets through, from after a position on: what
// is there, and what comes. It never ends by itself, but when another node leads
// and this one was asked to.
func (n *node) subscribe(o *streams.ReadReq_Options, call reading, after Fault) error {
	pass, err := filter(o.GetFilter())
	if err != nil {
		return err
	}
	l := n.server.cluster.log
	list, changed := l.all()
	next := 0
	switch from := o.GetAll().GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		next = sort.Search(len(list), func(i int) bool { return list[i].position > from.Position.GetCommitPosition() })
	case *streams.ReadReq_Options_AllOptions_End:
		next = len(list)
	}
	if after.kind == repeat {
		next = 0
	}
	if err := call.Send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: strconv.Itoa(next)}}}); err != nil {
		return err
	}
	every := int(max(1, o.GetFilter().GetMax()*max(1, o.GetFilter().GetCheckpointIntervalMultiplier())))
	sent := 0
	for live := false; ; {
		for ; next < len(list); next++ {
			r := list[next]
			if pass(r) {
				if err := call.Send(event(r)); err != nil {
					return err
				}
				n.server.fed()
				if sent++; after.kind == cutAfter && sent >= after.events {
					return n.cut(call.Context())
				}
			}
			if (next+1)%every == 0 {
				if err := call.Send(checkpoint(r.position)); err != nil {
					return err
				}
			}
		}
		if !live {
			live = true
			if err := call.Send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}}); err != nil {
				return err
			}
		}
		if err := n.wait(call, changed); err != nil {
			return err
		}
		list, changed = l.all()
	}
}

// wait waits for more, or for the end of a subscription.
func (n *node) wait(call reading, changed <-chan struct{}) error {
	for {
		_, elected := n.server.cluster.leading()
		if err := n.server.mustLead(call.Context(), call.SetTrailer); err != nil {
			return err
		}
		select {
		case <-changed:
			return nil
		case <-elected:
		case <-n.stopped:
			return status.Error(codes.Unavailable, "shutting down")
		case <-call.Context().Done():
			return context.Cause(call.Context())
		}
	}
}

// filter is the condition of a subscription.
func filter(f *streams.ReadReq_Options_FilterOptions) (func(*record) bool, error) {
	text := func(r *record) string { return r.stream }
	e := f.GetStreamIdentifier()
	if f.GetEventType() != nil {
		text = func(r *record) string { return r.metadata["type"] }
		e = f.GetEventType()
	}
	switch {
	case f == nil:
		return func(*record) bool { return true }, nil
	case e.GetRegex() != "":
		pattern, err := regexp.Compile(e.GetRegex())
		if err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
		return func(r *record) bool { return pattern.MatchString(text(r)) }, nil
	}
	return func(r *record) bool {
		return slices.ContainsFunc(e.GetPrefix(), func(p string) bool { return strings.HasPrefix(text(r), p) })
	}, nil
}

func checkpoint(position uint64) *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: position, PreparePosition: position}}}
}

func event(r *record) *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id:               &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{MostSignificantBits: r.id[0], LeastSignificantBits: r.id[1]}}},
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(r.stream)},
			StreamRevision:   r.revision, PreparePosition: r.position, CommitPosition: r.position,
			Metadata: r.metadata, CustomMetadata: r.custom, Data: r.data,
		},
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: r.position},
	}}}
}
