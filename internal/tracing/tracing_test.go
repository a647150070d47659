package tracing_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/deedrun/deed/internal/tracing"
)

const sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func recording(o ...sdk.TracerProviderOption) (tracing.Tracer, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	return tracing.New(sdk.NewTracerProvider(append(o, sdk.WithSpanProcessor(recorder))...)), recorder
}

func TestATracerOfNothingMakesNothingAndLetsPassWhatCame(t *testing.T) {
	for _, none := range []tracing.Tracer{{}, tracing.New(nil), tracing.New(noop.NewTracerProvider())} {
		require.False(t, none.On())
		ctx, span := none.Start(tracing.In(t.Context(), sampled), "task", tracing.Beginning{})
		span.Set(tracing.Number("n", 1))
		span.Event("lost")
		span.Fail("because")
		span.End()
		span.EndAt(time.Time{})
		require.Equal(t, sampled, tracing.From(ctx))
	}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ctx, span := tracing.Tracer{}.Start(tracing.In(context.Background(), ""), "task", tracing.Beginning{})
		span.End()
		_ = tracing.From(ctx)
	}))
}

func TestASpanGoesOnInTheTraceThatAMessageCarried(t *testing.T) {
	tracer, recorder := recording()
	began := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	_, other := tracer.Start(t.Context(), "other", tracing.Beginning{})
	other.End()
	ctx, span := tracer.Start(tracing.In(t.Context(), sampled), "task", tracing.Beginning{
		Kind: tracing.Consumer, At: began, Links: []string{"", "nonsense", sampled}, Attrs: []tracing.Attr{tracing.Text("process", "p")},
	})
	span.Set(tracing.Number("tasks", 3))
	span.Event("handed over")
	span.Fail("it broke")
	span.EndAt(began.Add(time.Second))

	ended := recorder.Ended()
	require.Len(t, ended, 2)
	require.False(t, ended[0].Parent().IsValid(), "without a context it is the first of a trace")
	got := ended[1]
	require.Equal(t, "b7ad6b7169203331", got.Parent().SpanID().String())
	require.True(t, got.Parent().IsRemote())
	require.Equal(t, tracing.ID(sampled), got.SpanContext().TraceID().String())
	require.True(t, tracing.Same(sampled, tracing.From(ctx)))
	require.Equal(t, "00-0af7651916cd43dd8448eb211c80319c-"+got.SpanContext().SpanID().String()+"-01", tracing.From(ctx))
	require.Equal(t, began, got.StartTime())
	require.Equal(t, began.Add(time.Second), got.EndTime())
	require.Len(t, got.Links(), 1)
	require.Equal(t, codes.Error, got.Status().Code)
	require.Equal(t, "it broke", got.Status().Description)
	require.Equal(t, []tracing.Attr{tracing.Text("process", "p"), tracing.Number("tasks", 3)}, got.Attributes())
	require.Equal(t, "handed over", got.Events()[0].Name)
}

func TestOfWhatIsNotSampledNothingIsCarriedOn(t *testing.T) {
	tracer, _ := recording(sdk.WithSampler(sdk.NeverSample()))
	ctx, span := tracer.Start(t.Context(), "submit", tracing.Beginning{})
	defer span.End()
	require.Empty(t, tracing.From(ctx))
	require.Empty(t, tracing.From(tracing.In(t.Context(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")))
}

func TestATextThatIsNoTraceIsNone(t *testing.T) {
	long := make([]byte, 1<<20)
	for _, text := range []string{"", "x", "00-0-0-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01", string(long), sampled + "\r\nx: y"} {
		require.Empty(t, tracing.ID(text))
		require.Empty(t, tracing.From(tracing.In(t.Context(), text)))
		require.False(t, tracing.Same(text, text))
	}
	require.False(t, tracing.Same(sampled, "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-01"))
}
