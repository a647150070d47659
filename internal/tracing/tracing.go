// Package tracing is how the rooms of deed take part in distributed traces: it
// makes spans, and carries the context of a trace as text, in the form of W3C's
// traceparent, from one message to the next.
//
//	submit ─► schedule ─► queue ─► task ─► report ─► confirm
//
// It knows the API of OpenTelemetry alone, never its SDK: that is linked by who
// has a collector to send to. A zero [Tracer] makes no spans, and lets pass what
// came with a message, so that a trace goes on behind a role that takes no part
// in it. Of what is not sampled nothing is carried on: "" is no trace.
package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// scope is the name under which collectors see that these spans are deed's own.
const scope = "github.com/deedrun/deed"

// Tracer makes spans. The zero Tracer makes none.
type Tracer struct{ tracer trace.Tracer }

// Provider is where the spans of a program go, by the API of OpenTelemetry.
type Provider = trace.TracerProvider

// New is a tracer of a provider; nil, or one that does nothing, gives the zero Tracer.
func New(from Provider) Tracer {
	if from == nil {
		return Tracer{}
	}
	if _, nothing := from.(noop.TracerProvider); nothing {
		return Tracer{}
	}
	return Tracer{from.Tracer(scope)}
}

// On reports whether it makes spans. What only a span needs to know need not be
// found out otherwise.
func (t Tracer) On() bool { return t.tracer != nil }

// Kind is which side of a message or request a span stands for.
type Kind = trace.SpanKind

// The kinds that deed has, beside that of what goes on within a role: the zero Kind.
const (
	Server   = trace.SpanKindServer
	Client   = trace.SpanKindClient
	Producer = trace.SpanKindProducer // it sends a message
	Consumer = trace.SpanKindConsumer // it was brought one
)

// Attr says something about a span.
type Attr = attribute.KeyValue

// Text is an attribute that is a text.
func Text(key, value string) Attr { return attribute.String(key, value) }

// Number is an attribute that is a number.
func Number(key string, value int) Attr { return attribute.Int(key, value) }

// Beginning is how a span begins; its zero value is a beginning, too.
type Beginning struct {
	Kind  Kind
	At    time.Time // zero: now
	Links []string  // traceparents of what else led to it; "" is passed over
	Attrs []Attr
}

// Start begins a span below the one that ctx is in, or the first one of a new
// trace. The context is in the span; its end is the caller's duty.
func (t Tracer) Start(ctx context.Context, name string, b Beginning) (context.Context, Span) {
	if t.tracer == nil {
		return ctx, Span{}
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(b.Kind), trace.WithAttributes(b.Attrs...)}
	if !b.At.IsZero() {
		options = append(options, trace.WithTimestamp(b.At))
	}
	for _, link := range b.Links {
		if to := parse(link); to.IsValid() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: to}))
		}
	}
	ctx, span := t.tracer.Start(ctx, name, options...)
	return ctx, Span{span}
}

// Span is something that takes time, in a trace. The zero Span is none.
type Span struct{ span trace.Span }

// Set adds to what is known of it.
func (s Span) Set(attrs ...Attr) {
	if s.span != nil {
		s.span.SetAttributes(attrs...)
	}
}

// Event notes that something happened meanwhile.
func (s Span) Event(name string, attrs ...Attr) {
	if s.span != nil {
		s.span.AddEvent(name, trace.WithAttributes(attrs...))
	}
}

// Fail marks it as failed, and says why.
func (s Span) Fail(why string) {
	if s.span != nil {
		s.span.SetStatus(codes.Error, why)
	}
}

// End ends it. What is said of it afterwards is lost.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}

// EndAt ends it at a time that may have passed.
func (s Span) EndAt(at time.Time) {
	if s.span != nil {
		s.span.End(trace.WithTimestamp(at))
	}
}
