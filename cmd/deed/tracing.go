package main

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/deedrun/deed/internal/tracing"
)

// flushWithin is how long the end of a command waits for its last spans to be taken.
const flushWithin = 2 * time.Second

// asking are the commands that are a span of their own, by their names: those
// that ask for something to be done.
var asking = strings.Fields("run submit cancel pause resume retry restart set migrate")

// traces sends the spans of a command to a collector.
type traces struct {
	provider *sdk.TracerProvider
	span     tracing.Span // of the command itself, if it is one
}

// beginTraces begins to send spans, if the environment says where to: the
// variables are those of OpenTelemetry. Nothing that is wrong with them, or with
// the collector, keeps a command from its work.
func (a *app) beginTraces(cmd *cobra.Command) {
	variable, endpoint := collectorAddress()
	if endpoint == "" || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return
	}
	protocol := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
	if protocol != "http/protobuf" {
		a.log().Warn("traces: none are sent: deed speaks OTLP by http/protobuf alone; say that in OTEL_EXPORTER_OTLP_PROTOCOL, and an endpoint that does, usually port 4318", "protocol", protocol)
		return
	}
	if at, err := url.Parse(endpoint); err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" { // the exporter would send to elsewhere, or nowhere
		a.log().Warn("traces: none are sent: the variable says no URL of a collector; write it as http://127.0.0.1:4318", "variable", variable)
		return
	}
	_, role := cmd.Annotations[roleMark]
	otel.SetLogger(logr.FromSlogHandler(a.log().Handler()))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { a.log().Debug("traces: a fault of OpenTelemetry", "error", err) }))
	exporter, err := otlptracehttp.New(cmd.Context(), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
		Enabled: role, InitialInterval: time.Second, MaxInterval: 5 * time.Second, MaxElapsedTime: 20 * time.Second, // others do not stay for it
	}))
	if err != nil {
		a.log().Warn("traces: none are sent", "error", err)
		return
	}
	described, err := describe(cmd.Context(), cmd, role)
	if err != nil {
		a.log().Warn("traces: their resource is not as the environment says", "error", err)
	}
	a.traces = &traces{provider: sdk.NewTracerProvider(
		sdk.WithBatcher(&patient{SpanExporter: exporter, log: a.log()}), sdk.WithResource(described),
	)}
	if !role && slices.Contains(asking, cmd.Name()) {
		ctx, span := tracing.New(a.traces.provider).Start(cmd.Context(), cmd.CommandPath(), tracing.Beginning{})
		cmd.SetContext(ctx)
		a.traces.span = span
	}
}

// collectorAddress is where spans go, and the variable that says so. It is not
// repeated to anybody, since it may hold a password.
func collectorAddress() (variable, endpoint string) {
	variable = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	if endpoint = os.Getenv(variable); endpoint == "" {
		variable = "OTEL_EXPORTER_OTLP_ENDPOINT"
		endpoint = os.Getenv(variable)
	}
	return variable, endpoint
}

// describe is what all spans of the command have in common. What the environment
// says of it counts more.
func describe(ctx context.Context, cmd *cobra.Command, role bool) (*resource.Resource, error) {
	service := "deed"
	if role || cmd.Name() == "run" { // which is all roles
		service = "deed-" + cmd.Name()
	}
	return resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", service), attribute.String("service.version", built().Version)),
		resource.WithHost(), resource.WithProcessPID(), resource.WithTelemetrySDK(), resource.WithFromEnv())
}

// tracer makes spans for a runtime; nil: it makes none.
func (a *app) tracer() tracing.Provider {
	if a.traces == nil {
		return nil
	}
	return a.traces.provider
}

// endTraces sends what is left, and does not wait for long.
func (a *app) endTraces(ended error) {
	if a.traces == nil {
		return
	}
	if ended != nil {
		a.traces.span.Fail(ended.Error())
	}
	a.traces.span.End()
	within, cancel := context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	if err := a.traces.provider.Shutdown(within); err != nil {
		a.log().Debug("traces: the last spans may be lost", "error", err)
	}
}

// patient is an exporter that says once that its collector is away, and once
// that it is back. Spans of the time between are dropped: nothing waits for them.
type patient struct {
	sdk.SpanExporter
	log  *slog.Logger
	away atomic.Bool
}

func (p *patient) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := p.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err == nil && p.away.Swap(false):
		p.log.Warn("traces: the collector takes spans again")
	case err != nil && !p.away.Swap(true):
		p.log.Warn("traces: the collector does not take spans; they are dropped until it does, and work goes on", "error", err)
	}
	return nil
}
