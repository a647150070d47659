package blob

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func keyed(t *testing.T, keys ...string) (*Store, task.Dataset) {
	t.Helper()
	s, err := Open(t.Context(), "mem://")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	w, err := s.NewManifest(t.Context(), "m")
	require.NoError(t, err)
	for i, key := range keys {
		require.NoError(t, w.Add(Entry{Index: i, Part: task.Part{Key: key, Value: fmt.Appendf(nil, "%d", i)}}))
	}
	data, err := w.Close()
	require.NoError(t, err)
	return s, data
}

func TestTheKeysOfAListAreListedInOrderEachOnce(t *testing.T) {
	s, data := keyed(t, "", "ann", "ann", "bob")
	names, err := s.KeyNames(t.Context(), *data.Manifest)
	require.NoError(t, err)
	require.Equal(t, []string{"", "ann", "bob"}, names)
}

func TestKeysThatAreTooLongTogetherAreNotListed(t *testing.T) {
	long := strings.Repeat("x", 200)
	var keys []string
	for i := range task.MaxKeyNames/200 + 1 {
		keys = append(keys, fmt.Sprintf("%06d%s", i, long[6:]))
	}
	s, data := keyed(t, keys...)
	names, err := s.KeyNames(t.Context(), *data.Manifest)
	require.NoError(t, err)
	require.Nil(t, names)
}

func TestThePartsOfAKeyAreFoundByItsName(t *testing.T) {
	s, data := keyed(t, "ann", "ann", "bob")
	r, err := s.OpenManifest(t.Context(), *data.Manifest)
	require.NoError(t, err)
	for key, want := range map[string][]string{"ann": {"0", "1"}, "bob": {"2"}, "amy": nil, "cyd": nil} {
		var got []string
		for p, err := range r.Of(t.Context(), key) {
			require.NoError(t, err)
			got = append(got, string(p.Value))
		}
		require.Equal(t, want, got, key)
	}
}
