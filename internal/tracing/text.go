package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Header is the name of the header that carries the context of a trace.
const Header = "traceparent"

// From is the trace that ctx is in, as text to be carried on; "" where there is
// none, or one that is not sampled.
func From(ctx context.Context) string {
	in := trace.SpanContextFromContext(ctx)
	if !in.IsValid() || !in.IsSampled() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[Header]
}

// In is a context in the trace that a text says. A text that says none changes
// nothing: it comes from a message, and is no reason to refuse that.
func In(ctx context.Context, traceparent string) context.Context {
	if to := parse(traceparent); to.IsValid() {
		return trace.ContextWithRemoteSpanContext(ctx, to)
	}
	return ctx
}

// ID is that of the trace, which is how people find it; "" if the text says none.
func ID(traceparent string) string {
	if to := parse(traceparent); to.IsValid() {
		return to.TraceID().String()
	}
	return ""
}

// Same reports whether two texts are of one trace.
func Same(a, b string) bool {
	id := ID(a)
	return id != "" && id == ID(b)
}

// longest is more than any version of traceparent that is known.
const longest = 256

func parse(traceparent string) trace.SpanContext {
	if traceparent == "" || len(traceparent) > longest {
		return trace.SpanContext{}
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{Header: traceparent})
	return trace.SpanContextFromContext(ctx)
}
