package api_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator"
)

// unreached is an event store that cannot be reached, and says where it is.
type unreached struct{ events.Driver }

func (unreached) Last(context.Context, string) (events.Commit, bool, error) {
	return events.Commit{}, false, fmt.Errorf("dial ada@10.9.8.7:2113: %w", events.ErrUnavailable)
}

func TestWhyATokenCannotBeLookedUpIsForTheLogAndNotForAnybody(t *testing.T) {
	r := &deed.Runtime{Client: &orchestrator.Client{Events: events.New(unreached{mem.New()}), Via: nobody{}}}
	var log strings.Builder
	s := over(t, r, func(o *api.Options) {
		o.RequireToken, o.Log = true, slog.New(slog.NewTextHandler(&log, nil))
	}).as("deed_aaaaaaaa_" + strings.Repeat("a", 52))
	for range 3 {
		p := s.refused(http.StatusServiceUnavailable, wire.CodeUnavailable, http.MethodGet, "/v1/processes", nil)
		require.NotContains(t, p.Detail, "10.9.8.7")
	}
	require.Equal(t, 1, strings.Count(log.String(), "10.9.8.7"), log.String())
}
