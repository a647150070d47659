package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/orchestrator"
)

func TestARequestThatAsksForSomethingIsASpanInTheTraceOfWhoAsks(t *testing.T) {
	const asker = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	r, recorder := inMemory(t, greeters(nil)), tracetest.NewSpanRecorder()
	r.runtime.Tracer = tracing.New(sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)))
	door := api.New(api.Options{Runtime: r.runtime})
	ask := func(method, path, body string, header ...string) {
		req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		req.Host = "localhost"
		req.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		door.ServeHTTP(httptest.NewRecorder(), req)
	}

	ask(http.MethodGet, "/v1/processes", "", "traceparent", asker)
	ask(http.MethodPost, "/v1/processes/nobody/pause", "{}", "Origin", "http://evil.example")
	require.Empty(t, recorder.Ended(), "reads, and what is not let in")

	ctx := tracing.In(t.Context(), asker)
	_, err := r.client.Submit(ctx, wire.Submit{ID: "afar", Definition: hello, Inputs: names("Ann")})
	require.NoError(t, err)
	r.ended("afar")
	s, err := orchestrator.Load(ctx, r.runtime.Events, "afar")
	require.NoError(t, err)
	require.True(t, tracing.Same(asker, s.Trace), "the client said which trace it is in")

	recorder.Reset()
	ask(http.MethodPost, "/v1/processes/afar/pause", "{}", "traceparent", asker)
	pause, request := recorder.Ended()[0], recorder.Ended()[1]
	require.Equal(t, "pause", pause.Name())
	require.Equal(t, codes.Error, pause.Status().Code, "it has ended")
	require.Equal(t, request.SpanContext().SpanID(), pause.Parent().SpanID())
	require.Equal(t, "POST /v1/processes/{id}/pause", request.Name())
	require.Equal(t, "b7ad6b7169203331", request.Parent().SpanID().String())
	require.Contains(t, request.Attributes(), tracing.Number("http.response.status_code", http.StatusConflict))
}
