package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/wire"
)

// taken counts what is read of it.
type taken struct {
	from io.Reader
	n    int64
}

func (t *taken) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	t.n += int64(n)
	return n, err
}

func TestBytesAreNotReadWhereJSONBelongs(t *testing.T) {
	r := inMemory(t, greeters(nil))
	for _, path := range []string{"/v1/processes", "/v1/gc", "/v1/processes/nobody/cancel", "/v1/processes/nobody/commands"} {
		body := &taken{from: strings.NewReader(strings.Repeat("x", 8<<20))}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, io.NopCloser(body))
		require.NoError(t, err)
		req.Host = "localhost"
		req.Header.Set("Content-Type", "application/octet-stream")
		answer := httptest.NewRecorder()
		api.New(api.Options{Runtime: r.runtime}).ServeHTTP(answer, req)
		require.Equal(t, http.StatusUnsupportedMediaType, answer.Code, answer.Body.String())
		require.Contains(t, answer.Body.String(), wire.CodeMediaType)
		require.Zero(t, body.n, "of %s", path)
	}
}
