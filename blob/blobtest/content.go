package blobtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func content(t *testing.T, b Backend) {
	dir := t.TempDir()
	file := func(name, data string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(data), 0o600))
		return path
	}
	sum := refOf("", "hello").SHA256
	hello := refOf("sha256/"+sum[:2]+"/"+sum[2:], "hello")

	t.Run("a file is stored under a key of its content, once", func(t *testing.T) {
		for _, name := range []string{"one", "two"} {
			ref, err := b.Store.ImportFile(t.Context(), file(name, "hello"))
			require.NoError(t, err)
			assert.Equal(t, hello, ref)
		}
		assert.Equal(t, []string{hello.Key}, b.stored(t))
	})
	t.Run("a stream of the same content is the same blob", func(t *testing.T) {
		ref, err := b.Store.Import(t.Context(), iotest.OneByteReader(strings.NewReader("hello")))
		require.NoError(t, err)
		assert.Equal(t, hello, ref)
		assert.Equal(t, []string{hello.Key}, b.stored(t))
	})
	t.Run("an error of the stream ends the import", func(t *testing.T) {
		broken := errors.New("broken")
		_, err := b.Store.Import(t.Context(), iotest.ErrReader(broken))
		require.ErrorIs(t, err, broken)
	})
	t.Run("many imports of the same content at once all succeed", func(t *testing.T) {
		path := file("shared", strings.Repeat("shared", 50_000))
		refs, errs := make([]task.Ref, 16), make([]error, 16)
		var group sync.WaitGroup
		for i := range refs {
			group.Go(func() { refs[i], errs[i] = b.Store.ImportFile(t.Context(), path) })
		}
		group.Wait()
		for i := range refs {
			require.NoError(t, errs[i])
			assert.Equal(t, refs[0], refs[i])
		}
		_, err := b.Store.ReadAll(t.Context(), refs[0], 1<<20)
		require.NoError(t, err)
		assert.Len(t, b.stored(t), 2)
	})
	t.Run("content that a power cut left short is stored again", func(t *testing.T) {
		b.overwrite(t, hello.Key, nil)
		_, err := b.Store.ImportFile(t.Context(), file("again", "hello"))
		require.NoError(t, err)
		data, err := b.Store.ReadAll(t.Context(), hello, 5)
		require.NoError(t, err)
		assert.Equal(t, "hello", string(data))
	})
	t.Run("files become parts in their order, with progress", func(t *testing.T) { importFiles(t, b, file) })
}

func importFiles(t *testing.T, b Backend, file func(name, data string) string) {
	var files []blob.File
	for _, name := range []string{"c", "a", "b", "e", "d", "f"} {
		files = append(files, blob.File{Path: file(name, "content "+name), Key: "k" + name, Name: name})
	}
	var calls []int
	var bytes int64
	parts, err := b.Store.ImportPaths(t.Context(), files, func(done, total int, n int64) {
		assert.Equal(t, len(files), total)
		calls, bytes = append(calls, done), n
	})
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3, 4, 5, 6}, calls)
	assert.EqualValues(t, len(files)*len("content a"), bytes)
	for i, p := range parts {
		assert.Equal(t, files[i].Key, p.Key)
		assert.Equal(t, files[i].Name, p.Name)
		assert.Equal(t, "content "+p.Name, readPart(t, b, p))
	}

	t.Run("a file that is not there ends the import and is named", func(t *testing.T) {
		missing := filepath.Join(t.TempDir(), "missing")
		_, err := b.Store.ImportPaths(t.Context(), append(files, blob.File{Path: missing}), nil)
		require.ErrorIs(t, err, os.ErrNotExist)
		require.ErrorContains(t, err, missing)
	})
	t.Run("an import whose context has ended returns nothing", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		parts, err := b.Store.ImportPaths(ctx, files, nil)
		require.ErrorIs(t, err, context.Canceled)
		assert.Nil(t, parts)
	})
}
