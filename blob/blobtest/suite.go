// Package blobtest is what every backend of a blob store must do, as tests.
package blobtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"
)

// Backend is an empty store, and the same place without the store's care, to
// damage what lies there.
type Backend struct {
	Store *blob.Store
	Raw   *gcblob.Bucket

	// Races is how often writers race for a key; 0: 100 times.
	Races int
}

// Run tests a backend. setup opens an empty one and cleans up after the test.
func Run(t *testing.T, setup func(t *testing.T) Backend) {
	for name, test := range map[string]func(*testing.T, Backend){
		"writing": writing, "keys": keys, "reading": reading, "damage": damage,
		"content": content, "reports": reports, "manifests": manifests, "datasets": datasets, "seals": seals, "logs": logs,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, setup(t))
		})
	}
}

// put stores data under a key.
func (b Backend) put(t *testing.T, key, data string) task.Ref {
	t.Helper()
	w, err := b.Store.Create(t.Context(), key)
	require.NoError(t, err)
	_, err = io.WriteString(w, data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return w.Ref()
}

// overwrite replaces the bytes of a blob behind the store's back.
func (b Backend) overwrite(t *testing.T, key string, data []byte) {
	t.Helper()
	require.NoError(t, b.Raw.WriteAll(t.Context(), key, data, nil))
}

// alter flips one bit of a blob, and returns what undoes it.
func (b Backend) alter(t *testing.T, key string, at int64) (undo func()) {
	t.Helper()
	data, err := b.Raw.ReadAll(t.Context(), key)
	require.NoError(t, err)
	altered := append([]byte(nil), data...)
	altered[at] ^= 1
	b.overwrite(t, key, altered)
	return func() { b.overwrite(t, key, data) }
}

// stored lists the keys of all blobs.
func (b Backend) stored(t *testing.T) []string {
	t.Helper()
	var found []string
	list := b.Raw.List(nil)
	for {
		object, err := list.Next(t.Context())
		if err == io.EOF {
			return found
		}
		require.NoError(t, err)
		found = append(found, object.Key)
	}
}

func refOf(key, data string) task.Ref {
	sum := sha256.Sum256([]byte(data))
	return task.Ref{Key: key, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
}

func requireCorrupt(t *testing.T, err error, key string) {
	t.Helper()
	var corrupt *blob.CorruptError
	require.ErrorAs(t, err, &corrupt)
	require.Equal(t, key, corrupt.Key)
	require.NotEmpty(t, corrupt.Want)
	require.NotEmpty(t, corrupt.Got)
}

// listed is n parts under the keys, in the order of a manifest.
func listed(n int, keys ...string) []blob.Entry {
	var entries []blob.Entry
	for k, key := range keys {
		for i := k * n / len(keys); i < (k+1)*n/len(keys); i++ {
			ref := refOf(fmt.Sprintf("data/%d", i), fmt.Sprint(i))
			entries = append(entries, blob.Entry{Index: i, Part: task.Part{Key: key, Name: fmt.Sprintf("part-%d", i), Ref: &ref}})
		}
	}
	return entries
}

func partsOf(entries []blob.Entry) []task.Part {
	parts := make([]task.Part, len(entries))
	for i, e := range entries {
		parts[i] = e.Part
	}
	return parts
}
