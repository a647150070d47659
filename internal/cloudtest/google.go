package cloudtest

import (
	"net/http"
	"strings"
	"testing"

	"cloud.google.com/go/storage"
	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcp"
	"google.golang.org/api/option"
)

// Google starts fake-gcs-server, which keeps all in memory.
func Google(t testing.TB) *Server {
	t.Helper()
	server := program(t, "fake-gcs-server", "fake-gcs-server", "GOBIN=$PWD/bin go install github.com/fsouza/fake-gcs-server@v1.56.1")
	k := kind{
		name: "fake-gcs-server", ready: accepts, where: "STORAGE_EMULATOR_HOST",
		make: func(t testing.TB, address, bucket string) {
			resp, err := http.Post("http://"+address+"/storage/v1/b?project=p", "application/json", strings.NewReader(`{"name":"`+bucket+`"}`))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, http.StatusOK, resp.StatusCode)
		},
		url: func(_, bucket string) string { return "gs://" + bucket },
		raw: func(t testing.TB, address, bucket string) *gcblob.Bucket {
			client := gcp.NewAnonymousHTTPClient(http.DefaultTransport)
			b, err := gcsblob.OpenBucket(t.Context(), client, bucket, &gcsblob.Options{ClientOptions: []option.ClientOption{
				option.WithEndpoint("http://" + address + "/storage/v1/"), storage.WithJSONReads(),
			}})
			require.NoError(t, err)
			return b
		},
	}
	s := start(t, k, nil, func(address string) []string {
		host, port, _ := strings.Cut(address, ":")
		return []string{
			server, "-scheme", "http", "-host", host, "-port", port, "-public-host", address, "-external-url", "http://" + address, "-backend", "memory",
		}
	})
	s.Repeats = true
	return s
}
