package cloud_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/cloudtest"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/require"
)

// everyCloud runs a test on each of the servers.
func everyCloud(t *testing.T, test func(t *testing.T, server *cloudtest.Server)) {
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t))
		})
	}
}

// data is a reader of n bytes that no compression makes smaller.
func data(n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{1}), n)
}

func put(t *testing.T, store *blob.Store, key string, r io.Reader) (task.Ref, error) {
	t.Helper()
	w, err := store.Create(t.Context(), key)
	require.NoError(t, err)
	defer w.Abort()
	if _, err := io.Copy(w, r); err != nil {
		return task.Ref{}, err
	}
	err = w.Close()
	return w.Ref(), err
}

// digest reads a blob, and returns the SHA-256 of what came.
func digest(t *testing.T, store *blob.Store, ref task.Ref) string {
	t.Helper()
	r, err := store.Open(t.Context(), ref)
	require.NoError(t, err)
	defer r.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	require.NoError(t, err)
	require.Equal(t, ref.Size, n)
	return hex.EncodeToString(sum.Sum(nil))
}

// TestALargeBlobIsWrittenAndReadThoughEveryKindOfRequestFailsOnce: each of them,
// by method and by what it is about, in each of the ways that there are. Which a
// driver makes of a blob of three pieces is its own affair. What the server does
// without its client knowing comes alone, since some servers then do it twice.
func TestALargeBlobIsWrittenAndReadThoughEveryKindOfRequestFailsOnce(t *testing.T) {
	t.Parallel()
	everyCloud(t, func(t *testing.T, server *cloudtest.Server) {
		bucket := server.Bucket(t)
		for name, faults := range map[string][]cloudtest.Fault{
			"forgotten":  {cloudtest.Forgotten},
			"unanswered": {cloudtest.Unanswered},
			"others":     {cloudtest.Refused, cloudtest.CutRequest, cloudtest.CutAnswer, cloudtest.Slow},
		} {
			t.Run(name, func(t *testing.T) {
				behind, proxy := server.Behind(t, onceEach(faults))
				store := open(t, behind.URL(bucket))
				ref, err := put(t, store, "large/"+name, data(33<<20))
				if server.Repeats && len(faults) == 1 {
					require.ErrorContains(t, err, "it lost or repeated a piece")
					return
				}
				require.NoError(t, err)
				require.Equal(t, ref.SHA256, digest(t, store, ref))
				for _, fault := range faults {
					require.GreaterOrEqual(t, proxy.Done()[fault], 2, "%s: at least a request that writes and one that reads", fault)
				}
				t.Logf("requests by what went wrong: %v", proxy.Done())
			})
		}
	})
}

// onceEach makes the faults happen to the first requests of each kind, in turn.
func onceEach(faults []cloudtest.Fault) func(*http.Request) cloudtest.Fault {
	var mu sync.Mutex
	seen := map[string]int{}
	return func(r *http.Request) cloudtest.Fault {
		kind := r.Method
		for _, name := range slices.Sorted(maps.Keys(r.URL.Query())) {
			kind += " " + name
		}
		mu.Lock()
		defer mu.Unlock()
		n := seen[kind]
		if n == len(faults) {
			return cloudtest.None
		}
		seen[kind]++
		return faults[n]
	}
}
