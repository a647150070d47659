package esdbtest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// node answers the calls of one run of a server.
type node struct {
	streams.UnimplementedStreamsServer
	server  *Server
	conns   *listener
	stopped <-chan struct{}
}

// let says whether the user may, and whether this node is the one to ask.
func (n *node) let(ctx context.Context, trailer func(metadata.MD)) error {
	if o := n.server.options; o.User != "" {
		md, _ := metadata.FromIncomingContext(ctx)
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte(o.User+":"+o.Password))
		if given := md.Get("authorization"); len(given) != 1 || given[0] != want {
			return status.Error(codes.Unauthenticated, "Not Authenticated")
		}
	}
	return n.server.mustLead(ctx, trailer)
}

// Append takes events until the client says that these are all.
func (n *node) Append(call streams.Streams_AppendServer) error {
	ctx := call.Context()
	after, err := n.begin(ctx, Append, call.SetTrailer)
	if err != nil {
		return err
	}
	if err := n.let(ctx, call.SetTrailer); err != nil {
		return err
	}
	head, err := call.Recv()
	if err != nil {
		return err
	}
	o := head.GetOptions()
	if o == nil {
		return status.Error(codes.InvalidArgument, "the first message of an append is its options")
	}
	list, err := n.proposed(call)
	if err != nil {
		return err
	}
	name := string(o.GetStreamIdentifier().GetStreamName())
	done := n.server.cluster.log.append(name, expectation(o), list)
	if after.kind == cutAfter {
		return n.cut(ctx)
	}
	if done.deleted {
		return deleted(name, call.SetTrailer)
	}
	return call.SendAndClose(appended(o, done))
}

func (n *node) proposed(call streams.Streams_AppendServer) ([]*record, error) {
	var list []*record
	size := 0
	for {
		m, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		p := m.GetProposedMessage()
		id, ok := ids(p.GetId())
		if !ok {
			return nil, status.Error(codes.InvalidArgument, "an event needs an ID")
		}
		size += len(p.GetData()) + len(p.GetCustomMetadata()) + 2*len(p.GetMetadata()["type"])
		if most := n.server.options.MaxAppend; size > most {
			call.SetTrailer(metadata.Pairs("exception", "maximum-append-size-exceeded", "maximum-append-size", strconv.Itoa(most)))
			return nil, status.Errorf(codes.InvalidArgument, "Maximum Append Size of %d Exceeded.", most)
		}
		kept := map[string]string{"type": p.GetMetadata()["type"], "content-type": p.GetMetadata()["content-type"]}
		list = append(list, &record{id: id, metadata: kept, custom: p.GetCustomMetadata(), data: p.GetData()})
	}
}

func expectation(o *streams.AppendReq_Options) int64 {
	switch e := o.GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Revision:
		return int64(e.Revision) //nolint:gosec // a revision beyond is beyond any stream as well
	case *streams.AppendReq_Options_NoStream:
		return expectNone
	case *streams.AppendReq_Options_StreamExists:
		return expectSome
	}
	return expectAny
}

func appended(o *streams.AppendReq_Options, done outcome) *streams.AppendResp {
	if !done.wrong {
		return &streams.AppendResp{Result: &streams.AppendResp_Success_{Success: &streams.AppendResp_Success{
			CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: done.revision},
			PositionOption:        &streams.AppendResp_Success_Position{Position: &streams.AppendResp_Position{CommitPosition: done.position, PreparePosition: done.position}},
		}}}
	}
	wrong := &streams.AppendResp_WrongExpectedVersion{}
	if done.current < 0 {
		wrong.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
	} else {
		wrong.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(done.current)}
	}
	switch e := o.GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Revision:
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: e.Revision}
	case *streams.AppendReq_Options_StreamExists:
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
	default:
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: wrong}}
}

func deleted(name string, trailer func(metadata.MD)) error {
	trailer(metadata.Pairs("exception", "stream-deleted", "stream-name", name))
	return status.Error(codes.FailedPrecondition, fmt.Sprintf("Event stream '%s' is deleted.", name))
}

// Delete deletes a stream so that it can go on, whatever revision is expected.
func (n *node) Delete(ctx context.Context, r *streams.DeleteReq) (*streams.DeleteResp, error) {
	done, err := n.remove(ctx, string(r.GetOptions().GetStreamIdentifier().GetStreamName()), false)
	if err != nil {
		return nil, err
	}
	return &streams.DeleteResp{PositionOption: &streams.DeleteResp_Position_{Position: &streams.DeleteResp_Position{CommitPosition: done, PreparePosition: done}}}, nil
}

// Tombstone deletes a stream for good, whatever revision is expected.
func (n *node) Tombstone(ctx context.Context, r *streams.TombstoneReq) (*streams.TombstoneResp, error) {
	done, err := n.remove(ctx, string(r.GetOptions().GetStreamIdentifier().GetStreamName()), true)
	if err != nil {
		return nil, err
	}
	return &streams.TombstoneResp{PositionOption: &streams.TombstoneResp_Position_{Position: &streams.TombstoneResp_Position{CommitPosition: done, PreparePosition: done}}}, nil
}

func (n *node) remove(ctx context.Context, name string, forGood bool) (uint64, error) {
	if err := n.let(ctx, trailerOf(ctx)); err != nil {
		return 0, err
	}
	done := n.server.cluster.log.remove(name, forGood)
	switch {
	case done.deleted:
		return 0, deleted(name, trailerOf(ctx))
	case done.wrong:
		return 0, status.Error(codes.FailedPrecondition, "there is no stream to delete")
	}
	return done.position, nil
}

// ticks are the hundreds of nanoseconds since 1970, which the client ends the
// whole process over if they are missing.
func ticks(t time.Time) string { return strconv.FormatInt(t.UnixNano()/100, 10) }
