package api_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
)

func TestAServerExaminesWhatItStandsOnAndAdvisesByTheAddressThatItWasCalledBy(t *testing.T) {
	t.Parallel()
	r, err := deed.Open(t.Context(), deed.Options{Dir: t.TempDir(), Version: "v1.2.3", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(r.Close)
	rig := over(t, r)
	var answer struct{ Findings []wire.Finding }
	rig.ask(http.StatusOK, &answer, http.MethodGet, "/v1/doctor", nil)
	found := map[string]wire.Finding{}
	for _, f := range answer.Findings {
		found[f.Check] = f
	}
	require.Contains(t, found["binary"].Found, "deed v1.2.3")
	for _, check := range []string{"nats", "events-stream", "orchestrators", "versions", "events", "blobs"} {
		require.Equal(t, "ok", string(found[check].Status), "%+v", found[check])
	}
	require.Equal(t, "warn", string(found["pools"].Status))
	require.Contains(t, found["pools"].Fix, "deed worker --data ")

	same, err := rig.client.Examine(t.Context())
	require.NoError(t, err)
	require.Len(t, same, len(answer.Findings))
}

func TestAServerThatHasAllInMemoryExaminesWhatThereIs(t *testing.T) {
	t.Parallel()
	rig := inMemory(t, nil)
	found, err := rig.client.Examine(t.Context())
	require.NoError(t, err)
	for _, f := range found {
		require.NotEqual(t, "fail", string(f.Status), "%+v", f)
	}
}
