package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
)

// A process may have the ID that a folder of the blob store has. That makes what
// lies there no more its own than it was.
func TestAProcessWithTheNameOfAFolderOpensNothingInIt(t *testing.T) {
	r := tenants(t)
	theirs := r.as("theirs").stored("a secret of theirs")
	require.NoError(t, r.runtime.Blobs.StoreNamed(t.Context(), "renewed/"+theirs.Key, nil))
	require.NoError(t, r.runtime.Blobs.StoreNamed(t.Context(), "views/processes/1/1", []byte("x")))
	require.NoError(t, r.runtime.Blobs.StoreNamed(t.Context(), "snapshots/theirs-1/00000000000000000001", []byte("x")))
	ours := r.as("ours")
	folders := []string{"sha256", "inputs", "renewed", "logs", "archives", "snapshots", "views", "sweeping"}
	for _, id := range folders {
		ours.shouts(id, "ours-loud")
	}
	for _, id := range folders {
		for _, prefix := range []string{id + "/", id + "/" + theirs.Key[7:9], id + "/sha256/", id + "/theirs-1/"} {
			for _, delimiter := range []string{"", "/", "a", "-"} {
				var page wire.Blobs
				ours.ask(http.StatusOK, &page, http.MethodGet, fmt.Sprintf("/v1/blobs?prefix=%s&delimiter=%s", prefix, delimiter), nil)
				for _, b := range page.Blobs {
					kind, of := blob.Classify(b.Key)
					if !b.Folder {
						require.Contains(t, append(folders, "ours-1"), of, "%q %q: %s of %s", prefix, delimiter, b.Key, kind)
					}
					require.NotContains(t, b.Key, "theirs")
					require.NotContains(t, b.Key, theirs.SHA256[2:20])
				}
			}
		}
		require.Equal(t, http.StatusOK, ours.do(http.MethodGet, "/v1/processes/"+id+"/outputs/loud/0", nil).status, "what is one's own is there")
	}
}
