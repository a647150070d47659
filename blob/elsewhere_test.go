package blob_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
)

// buckets are those of the scheme of these tests, which takes a folder for one.
type buckets struct{ dirs sync.Map }

func (b *buckets) open(_ context.Context, u *url.URL) (*gcblob.Bucket, error) {
	dir, ok := b.dirs.Load(u.Host)
	if !ok {
		return nil, fmt.Errorf("there is no bucket %q", u.Host)
	}
	return fileblob.OpenBucket(dir.(string), &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
}

var faked = sync.OnceValue(func() *buckets {
	b := &buckets{}
	blob.Register("fake", blob.Driver{Open: b.open, Status: func(error) int { return 0 }})
	return b
})

// bucket is a new bucket that holds files, and its name.
func bucket(t *testing.T, files map[string]string) (dir, name string) {
	t.Helper()
	dir = t.TempDir()
	name = "b" + filepath.Base(dir) + filepath.Base(filepath.Dir(dir))
	faked().dirs.Store(name, dir)
	for file, content := range files {
		putFile(t, filepath.Join(dir, file), content)
	}
	return dir, name
}

func putFile(t *testing.T, file, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
}

func text(t *testing.T, store *blob.Store, p task.Part) (string, error) {
	t.Helper()
	r, err := store.OpenPart(t.Context(), p)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(r)
	require.NoError(t, r.Close())
	return string(data), err
}

func TestObjectsAreReferredToWhereTheyLieAsAnImportWouldListThem(t *testing.T) {
	t.Parallel()
	_, name := bucket(t, map[string]string{"logs/b.txt": "bb", "logs/a/y.txt": "y", "logs/a/x.txt": "x", "logs2/no": "", "top": "t"})
	store := open(t, "mem://")
	told := 0
	parts, area, err := store.Refer(t.Context(), "fake://"+name+"/logs", func(done, total int, bytes int64) {
		if told++; done == total {
			require.EqualValues(t, 4, bytes)
		}
	})
	require.NoError(t, err)
	require.Equal(t, 3, told)
	require.Equal(t, "fake://"+name+"/logs", area)
	var listed []string
	for _, p := range parts {
		require.Empty(t, p.Ref.Key)
		require.NotEmpty(t, p.Ref.ETag)
		listed = append(listed, p.Key+":"+p.Name)
	}
	require.Equal(t, []string{":b.txt", "a:x.txt", "a:y.txt"}, listed)
	require.NoError(t, store.AllowReading(area))
	got, err := text(t, store, parts[1])
	require.NoError(t, err)
	require.Equal(t, "x", got)

	one, area, err := store.Refer(t.Context(), "fake://"+name+"/top", nil)
	require.NoError(t, err)
	require.Len(t, one, 1)
	require.Equal(t, "top", one[0].Name)
	require.Equal(t, "fake://"+name+"/top", area)

	_, _, err = store.Refer(t.Context(), "fake://"+name+"/none/", nil)
	require.ErrorContains(t, err, "nothing is there")
	_, err = store.Names(t.Context(), "")
	require.NoError(t, err)
}

func TestAnObjectThatChangedOrWentAwayIsNeverRead(t *testing.T) {
	t.Parallel()
	dir, name := bucket(t, map[string]string{"changed": "before", "shorter": "before", "gone": "before"})
	store := open(t, "mem://")
	parts, area, err := store.Refer(t.Context(), "fake://"+name, nil)
	require.NoError(t, err)
	require.NoError(t, store.AllowReading(area))
	putFile(t, filepath.Join(dir, "changed"), "behind")
	require.NoError(t, os.Chtimes(filepath.Join(dir, "changed"), time.Time{}, time.Now().Add(time.Hour)))
	putFile(t, filepath.Join(dir, "shorter"), "b")
	require.NoError(t, os.Remove(filepath.Join(dir, "gone")))
	for _, p := range parts {
		got, err := text(t, store, p)
		require.Empty(t, got, p.Name)
		var changed *blob.ChangedError
		require.ErrorAs(t, err, &changed, p.Name)
		require.Equal(t, p.Ref.URL, changed.URL)
		require.ErrorContains(t, err, "since it was submitted")
		require.True(t, blob.Lasting(err))
		require.Equal(t, p.Name == "gone", errors.Is(err, blob.ErrNotFound))
	}
}

func TestFilesAreLinkedWhereTheyLieAndReadOnlyAsTheyWere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	putFile(t, filepath.Join(dir, "a b%.txt"), "one")
	putFile(t, filepath.Join(dir, "sub", "c.txt"), "two")
	store := open(t, "mem://")
	parts, area, err := store.Refer(t.Context(), "file://"+dir, nil)
	require.NoError(t, err)
	require.Len(t, parts, 2)
	imported, err := blob.Collect(dir)
	require.NoError(t, err)
	copies, err := store.ImportPaths(t.Context(), imported, nil)
	require.NoError(t, err)
	require.Equal(t, task.Inline(copies).Digest, task.Inline(parts).Digest, "where it lies does not matter")

	var denied *blob.DeniedError
	_, err = text(t, store, parts[0])
	require.ErrorAs(t, err, &denied, "nobody allowed it")
	require.NoError(t, store.AllowReading(area))
	got, err := text(t, store, parts[0])
	require.NoError(t, err)
	require.Equal(t, "one", got)

	putFile(t, filepath.Join(dir, "a b%.txt"), "eno")
	_, err = text(t, store, parts[0])
	var changed *blob.ChangedError
	require.ErrorAs(t, err, &changed)
	require.ErrorContains(t, err, "SHA-256")
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "sub")))
	_, err = text(t, store, parts[1])
	require.ErrorIs(t, err, blob.ErrNotFound)
	require.True(t, blob.Lasting(err))
}

func TestNothingIsReadElsewhereThatIsNotBelowWhatIsAllowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	putFile(t, filepath.Join(dir, "open", "a"), "a")
	putFile(t, filepath.Join(dir, "opened", "a"), "a")
	putFile(t, filepath.Join(dir, "secret"), "s")
	require.NoError(t, os.Symlink(filepath.Join(dir, "secret"), filepath.Join(dir, "open", "link")))
	_, name := bucket(t, map[string]string{"logs/a": "a", "logs2/a": "a"})
	store := open(t, "mem://")
	require.NoError(t, store.AllowReading("file://"+dir+"/open", "fake://"+name+"/logs/"))

	sum := sha256.Sum256([]byte("a"))
	at := func(text string) task.Part {
		return task.Part{Ref: &task.Ref{URL: text, Size: 1, SHA256: hex.EncodeToString(sum[:])}}
	}
	for _, good := range []string{"file://" + dir + "/open/a", "fake://" + name + "/logs/a"} {
		got, err := text(t, store, at(good))
		require.NoError(t, err, good)
		require.Equal(t, "a", got)
	}
	for _, bad := range []string{
		"file://" + dir + "/secret", "file://" + dir + "/opened/a", "file://" + dir + "/open/../secret", "file://" + dir + "/open/%2e%2e/secret",
		"file://" + dir + "/open/link", "file://" + dir + "/open//a", "file://" + dir + "/open", "file://localhost" + dir + "/open/a", "file://" + dir + "/open/%61",
		"fake://" + name + "/logs2/a", "fake://" + name + "/logs/a?endpoint=http%3A%2F%2Fevil", "fake://u:p@" + name + "/logs/a", "fake://" + name + "/logs/",
		"fake://other/logs/a", "mem://x/logs/a", "http://127.0.0.1/logs/a", "FILE://" + dir + "/open/a", "/etc/passwd", "file:" + dir + "/open/a",
	} {
		got, err := text(t, store, at(bad))
		require.Error(t, err, bad)
		require.Empty(t, got, bad)
	}
	both := at("file://" + dir + "/open/a")
	both.Ref.Key = "sha256/aa/bb"
	_, err := text(t, store, both)
	require.ErrorContains(t, err, "a key and a URL")
	require.Error(t, store.AllowReading("mem://x"))
	require.Error(t, store.AllowReading("s3://k:s@bucket"))
}

func TestALinkThatLeadsOutOfAFolderIsNotLinked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	putFile(t, filepath.Join(dir, "outside"), "o")
	putFile(t, filepath.Join(dir, "in", "x"), "x")
	require.NoError(t, os.Symlink("x", filepath.Join(dir, "in", "y")))
	store := open(t, "mem://")
	parts, area, err := store.Link(t.Context(), filepath.Join(dir, "in"), nil)
	require.NoError(t, err)
	require.Len(t, parts, 2)
	require.Equal(t, "y", parts[1].Name, "the name of the link, and what it leads to")
	require.NoError(t, store.AllowReading(area))
	got, err := text(t, store, parts[1])
	require.NoError(t, err)
	require.Equal(t, "x", got)

	require.NoError(t, os.Symlink(filepath.Join(dir, "outside"), filepath.Join(dir, "in", "z")))
	_, _, err = store.Link(t.Context(), filepath.Join(dir, "in"), nil)
	require.ErrorContains(t, err, "out of")
}

func TestWhereReadingIsAllowedIsAskedAgainBeforeItIsDenied(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	putFile(t, filepath.Join(dir, "a"), "a")
	store := open(t, "mem://")
	parts, area, err := store.Link(t.Context(), dir, nil)
	require.NoError(t, err)
	var said []string
	store.AskReading(func() ([]string, error) { return said, nil })
	require.ErrorContains(t, store.MayRead(*parts[0].Ref), "--read 'file://"+area[len("file://"):]+"/'")
	said = []string{area}
	require.NoError(t, store.MayRead(*parts[0].Ref))
}

func TestOnlyPartsMayLieElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	putFile(t, filepath.Join(dir, "a"), "a")
	store := open(t, "mem://")
	parts, area, err := store.Link(t.Context(), dir, nil)
	require.NoError(t, err)
	require.NoError(t, store.AllowReading(area))
	_, err = store.Open(t.Context(), *parts[0].Ref)
	require.ErrorContains(t, err, "only parts")
	_, err = store.OpenManifest(t.Context(), task.Manifest{Ref: *parts[0].Ref, IndexSize: 1, IndexSHA256: parts[0].Ref.SHA256})
	require.ErrorContains(t, err, "only parts")

	var keys blob.Keys
	require.NoError(t, keys.AddDataset(t.Context(), store, task.Inline(parts)))
	require.False(t, keys.Has(""), "what lies elsewhere is not swept")
}

func TestALongListOfReferencesIsAManifestLikeAnyOther(t *testing.T) {
	t.Parallel()
	store := open(t, "mem://")
	var parts []task.Part
	for i := range 1000 {
		parts = append(parts, task.Part{Name: fmt.Sprint(i), Ref: &task.Ref{URL: fmt.Sprintf("fake://b/folder/%d", i), Size: 1, ETag: fmt.Sprint(i)}})
	}
	data, err := store.Dataset(t.Context(), "inputs", parts)
	require.NoError(t, err)
	require.NotNil(t, data.Manifest)
	require.Equal(t, task.Inline(parts).Digest, data.Digest)
	list, err := store.OpenManifest(t.Context(), *data.Manifest)
	require.NoError(t, err)
	p, err := list.Part(t.Context(), 700)
	require.NoError(t, err)
	require.Equal(t, parts[700], p)
	parts[3].Ref = &task.Ref{URL: "fake://b/../x", Size: 1, ETag: "e"}
	_, err = store.Dataset(t.Context(), "inputs", parts)
	require.ErrorContains(t, err, "..")
}
