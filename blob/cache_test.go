package blob

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

const someKey = "28ec0000000000000000000000000000000000000000000000000000000028ec"

// cacheIn is a store of files with an entry that refers to some blobs.
func cacheIn(t *testing.T, blobs int) (s *Store, dir string, e Cached) {
	t.Helper()
	dir = t.TempDir()
	s, err := Open(t.Context(), "file://"+dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	e = Cached{Key: someKey, Origin: task.Attempt{Process: "p", Address: "count", Index: 7, Attempt: 1}, At: time.Unix(1e9, 0).UTC()}
	for i := range blobs {
		w, err := s.Create(t.Context(), fmt.Sprintf("p/count/0/7/1-n/%d", i))
		require.NoError(t, err)
		_, err = w.Write([]byte("words"))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		ref := w.Ref()
		e.Parts = append(e.Parts, task.Produced{Index: 7, Data: "partial", Part: task.Part{Key: "k", Ref: &ref}})
	}
	require.NoError(t, s.Cache().Store(t.Context(), e, "p/count/0/7/1-n/cached"))
	return s, dir, e
}

func entryFile(dir string) string { return filepath.Join(dir, "cache", someKey[:2], someKey[2:]) }

func cachedParts(t *testing.T, s *Store, e Cached) (all []task.Produced) {
	t.Helper()
	for p, err := range s.Cache().Parts(t.Context(), e) {
		require.NoError(t, err)
		all = append(all, p)
	}
	return all
}

func TestWhatATaskLeftIsFoundUnderItsKey(t *testing.T) {
	s, _, e := cacheIn(t, 2)
	found, err := s.Cache().LookUp(t.Context(), someKey)
	require.NoError(t, err)
	require.Equal(t, e, found)
	_, err = s.Cache().LookUp(t.Context(), strings.Repeat("ab", 32))
	require.ErrorIs(t, err, ErrUncached)
	_, err = s.Cache().LookUp(t.Context(), "../../etc/passwd")
	require.ErrorContains(t, err, "no key")
}

func TestALongListOfPartsLiesBesideItsEntry(t *testing.T) {
	s, _, e := cacheIn(t, 0)
	for i := range 2000 {
		e.Parts = append(e.Parts, task.Produced{Index: 7, Data: "partial", Part: task.Part{Name: fmt.Sprint(i), Value: []byte(`1`)}})
	}
	require.NoError(t, s.Cache().Store(t.Context(), e, "p/count/0/7/1-n/cached"))
	found, err := s.Cache().LookUp(t.Context(), someKey)
	require.NoError(t, err)
	require.Empty(t, found.Parts)
	require.Equal(t, e.Parts, cachedParts(t, s, found))
	require.NoError(t, s.Remove(t.Context(), found.List.Key))
	_, err = s.Cache().LookUp(t.Context(), someKey)
	require.ErrorIs(t, err, ErrUncached)
}

func TestAnEntryWhoseBlobIsGoneOrTornIsNone(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"gone": func(dir string) error { return os.Remove(filepath.Join(dir, "p/count/0/7/1-n/1")) },
		"torn": func(dir string) error { return os.Truncate(filepath.Join(dir, "p/count/0/7/1-n/1"), 2) },
	} {
		t.Run(name, func(t *testing.T) {
			s, dir, _ := cacheIn(t, 3)
			require.NoError(t, spoil(dir))
			_, err := s.Cache().LookUp(t.Context(), someKey)
			require.ErrorIs(t, err, ErrUncached)
			_, err = s.Cache().Entry(t.Context(), someKey)
			require.NoError(t, err, "it can still be looked at")
		})
	}
}

func TestADamagedEntryIsNoneUntilItIsWrittenAgain(t *testing.T) {
	s, dir, e := cacheIn(t, 1)
	whole, err := os.ReadFile(entryFile(dir))
	require.NoError(t, err)
	for i := range whole {
		broken := append([]byte{}, whole...)
		broken[i] ^= 1
		require.NoError(t, os.WriteFile(entryFile(dir), broken, 0o600))
		_, err := s.Cache().Entry(t.Context(), someKey)
		require.ErrorIs(t, err, ErrUncached, "byte %d", i)
	}
	require.NoError(t, os.WriteFile(entryFile(dir), whole[:len(whole)/2], 0o600))
	_, err = s.Cache().Entry(t.Context(), someKey)
	require.ErrorIs(t, err, ErrUncached)
	require.NoError(t, s.Cache().Store(t.Context(), e, "unused"))
	_, err = s.Cache().LookUp(t.Context(), someKey)
	require.NoError(t, err)
}

// TestAnEntryThatNobodyCouldHaveLeftIsNone: who may write to the store may write an
// entry, and has to hold up nobody with it.
func TestAnEntryThatNobodyCouldHaveLeftIsNone(t *testing.T) {
	s, _, e := cacheIn(t, 1)
	w, err := s.Create(t.Context(), "p/count/0/7/1-n/list")
	require.NoError(t, err)
	_, err = w.Write([]byte("no list\n"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	listed := w.Ref()
	outside := *e.Parts[0].Ref
	outside.Key = "../../etc/passwd"
	for name, forged := range map[string]Cached{
		"a list that is none":      {List: &listed},
		"a list elsewhere":         {List: &task.Ref{URL: "file:///etc/passwd", Size: 1, SHA256: e.Parts[0].Ref.SHA256}},
		"a list under no key":      {List: &task.Ref{Key: "../x", SHA256: e.Parts[0].Ref.SHA256}},
		"a part under no key":      {Parts: []task.Produced{{Data: "x", Part: task.Part{Ref: &outside}}}},
		"a part that is nothing":   {Parts: []task.Produced{{Data: "x"}}},
		"a file that is not known": {Parts: []task.Produced{{Data: "x", Part: task.Part{Ref: &task.Ref{URL: "file:///etc/passwd", ETag: "x"}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			forged.Key = someKey
			require.NoError(t, s.Cache().Store(t.Context(), forged, "unused"))
			_, err := s.Cache().LookUp(t.Context(), someKey)
			require.ErrorIs(t, err, ErrUncached)
			found, err := s.Cache().Entry(t.Context(), someKey)
			if err != nil {
				require.ErrorIs(t, err, ErrUncached)
				return
			}
			for _, err := range s.Cache().Parts(t.Context(), found) {
				require.True(t, Useless(err), "%v", err)
			}
		})
	}
}

func TestAnEntryUnderTheKeyOfAnotherIsNone(t *testing.T) {
	s, dir, _ := cacheIn(t, 1)
	other := strings.Repeat("ab", 32)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "cache/ab"), 0o700))
	require.NoError(t, os.Rename(entryFile(dir), filepath.Join(dir, "cache/ab", other[2:])))
	_, err := s.Cache().Entry(t.Context(), other)
	require.ErrorIs(t, err, ErrUncached)
}

func TestAnEntryThatIsOfUseBecomesYoungAgain(t *testing.T) {
	s, dir, _ := cacheIn(t, 1)
	old := time.Now().Add(-72 * time.Hour)
	require.NoError(t, os.Chtimes(entryFile(dir), old, old))
	_, err := s.Cache().Entry(t.Context(), someKey)
	require.NoError(t, err)
	require.Equal(t, old.Unix(), written(t, s), "to look at it is no use")
	_, err = s.Cache().LookUp(t.Context(), someKey)
	require.NoError(t, err)
	require.Greater(t, written(t, s), old.Unix())
	_, err = s.Cache().LookUp(t.Context(), someKey)
	require.NoError(t, err)
}

func written(t *testing.T, s *Store) int64 {
	t.Helper()
	at := int64(0)
	for o, err := range s.Cache().Keys(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, someKey, o.Key)
		at = o.ModTime.Unix()
	}
	return at
}

func TestWhatIsTakenOutOfTheCacheIsNotThereAnyMore(t *testing.T) {
	s, _, _ := cacheIn(t, 1)
	require.NoError(t, s.Cache().Remove(t.Context(), someKey))
	require.NoError(t, s.Cache().Remove(t.Context(), someKey))
	_, err := s.Cache().Entry(t.Context(), someKey)
	require.ErrorIs(t, err, ErrUncached)
	require.Error(t, s.Cache().Remove(t.Context(), "sha256/ab"))
}
