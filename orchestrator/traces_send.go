package orchestrator

import (
	"cmp"
	"context"

	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/orchestrator/process"
)

// traceSend sends a command within a span. A process that is started belongs to
// the trace of that span for good; who passes the start on to a server leaves
// that to the server, which is in the same trace.
func (c *Client) traceSend(
	ctx context.Context, kind tracing.Kind, id string, command process.Command,
	send func(context.Context, string, process.Command) (Answer, error),
) (Answer, error) {
	start, starts := command.(process.StartProcess)
	name := "submit"
	if !starts {
		name = askedFor(command)
	}
	ctx, span := c.Tracer.Start(ctx, name, tracing.Beginning{Kind: kind, Attrs: []tracing.Attr{tracing.Text("process", id)}})
	defer span.End()
	if starts && kind == tracing.Producer {
		start.Trace = cmp.Or(tracing.From(ctx), tracing.From(tracing.In(ctx, start.Trace))) // what is no trace is not kept
		command = start
	}
	answer, err := send(ctx, id, command)
	if err != nil {
		span.Fail(err.Error())
	}
	return answer, err
}
