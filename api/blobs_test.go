package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

// shelves serves a blob store in a folder; remote is the same one through the API.
func shelves(t *testing.T) (r *rig, dir string, local, remote *blob.Store) {
	t.Helper()
	dir = t.TempDir()
	local, err := blob.Open(t.Context(), "file://"+dir)
	require.NoError(t, err)
	r = over(t, &deed.Runtime{Client: &orchestrator.Client{Events: events.New(mem.New())}, Blobs: local})
	remote = blob.New(r.client.Bucket())
	t.Cleanup(func() { require.NoError(t, errors.Join(remote.Close(), local.Close())) })
	return r, dir, local, remote
}

func contentOf(t *testing.T, s *blob.Store, ref task.Ref) string {
	t.Helper()
	in, err := s.Open(t.Context(), ref)
	require.NoError(t, err)
	data, err := io.ReadAll(in)
	require.NoError(t, errors.Join(err, in.Close()))
	return string(data)
}

func TestInputsAreImportedThroughTheAPIAsOnTheServer(t *testing.T) {
	_, _, local, remote := shelves(t)
	large := strings.Repeat("deeds, not words\n", 1<<16)
	for name, text := range map[string]string{"a text": "some words", "an empty one": "", "a large one": large} {
		ref, err := remote.Import(t.Context(), strings.NewReader(text))
		require.NoError(t, err, name)
		again, err := remote.Import(t.Context(), strings.NewReader(text))
		require.NoError(t, err, name)
		require.Equal(t, ref, again)
		require.Equal(t, text, contentOf(t, local, ref), name)
		require.Equal(t, text, contentOf(t, remote, ref), name)
	}
	var parts []task.Part
	for i := range 2000 {
		parts = append(parts, task.Part{Key: fmt.Sprint(i % 7), Name: fmt.Sprintf("%d.txt", i), Value: fmt.Appendf(nil, "%q", strings.Repeat("x", 50))})
	}
	data, err := remote.Dataset(t.Context(), "inputs", parts)
	require.NoError(t, err)
	require.NotNil(t, data.Manifest)
	same, err := local.Dataset(t.Context(), "inputs", parts)
	require.NoError(t, err)
	require.Equal(t, same, data)
	list, err := remote.OpenManifest(t.Context(), *data.Manifest)
	require.NoError(t, err)
	part, err := list.Part(t.Context(), 1500)
	require.NoError(t, err)
	want, err := localPart(t, local, *data.Manifest, 1500)
	require.NoError(t, err)
	require.Equal(t, want, part)
}

func localPart(t *testing.T, s *blob.Store, m task.Manifest, i int) (task.Part, error) {
	t.Helper()
	list, err := s.OpenManifest(t.Context(), m)
	require.NoError(t, err)
	return list.Part(t.Context(), i)
}

func TestBlobsAreListedAndMissedAsOnTheServer(t *testing.T) {
	_, _, local, remote := shelves(t)
	for _, key := range []string{"p/count/0/1/1-a/0", "p/count/0/2/1-b/0", "q/x/0/0/1-c/0"} {
		require.NoError(t, local.StoreNamed(t.Context(), key, []byte(key)))
	}
	for _, prefix := range []string{"", "p/", "p/count/0/2", "none"} {
		want, err := local.Names(t.Context(), prefix)
		require.NoError(t, err)
		got, err := remote.Names(t.Context(), prefix)
		require.NoError(t, err)
		require.Equal(t, want, got, prefix)
	}
	data, err := remote.ReadNamed(t.Context(), "q/x/0/0/1-c/0", 100)
	require.NoError(t, err)
	require.Equal(t, "q/x/0/0/1-c/0", string(data))
	_, err = remote.ReadNamed(t.Context(), "q/x/0/0/1-c/1", 100)
	require.ErrorIs(t, err, blob.ErrNotFound)
}

func TestOnlyContentUnderItsOwnKeyIsStored(t *testing.T) {
	r, _, local, remote := shelves(t)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("words")))
	key := "sha256/" + sum[:2] + "/" + sum[2:]
	for _, bad := range []struct {
		name, key, text, code string
		status                int
	}{
		{"other content", key, "other words", wire.CodeInvalid, 422},
		{"an output of a process", "p/count/0/1/1-a/0", "x", wire.CodeReadOnly, 403},
		{"a snapshot", "snapshots/p/00000000000000000001", "x", wire.CodeReadOnly, 403},
		{"an archive", "archives/p.tar.gz", "x", wire.CodeReadOnly, 403},
		{"a view", "views/processes/1/1", "x", wire.CodeReadOnly, 403},
		{"a mark that says more than that it is there", "renewed/" + key, "x", wire.CodeReadOnly, 403},
		{"a mark of a sweep", "sweeping/abc", "", wire.CodeReadOnly, 403},
		{"a way out", "sha256/..%2F..%2Fetc", "x", wire.CodeInvalid, 400},
		{"a file of the backend", "x.attrs", "x", wire.CodeInvalid, 400},
	} {
		t.Run(bad.name, func(t *testing.T) {
			r := *r
			r.T = t
			r.refused(bad.status, bad.code, http.MethodPut, "/v1/blobs/"+bad.key, strings.NewReader(bad.text))
		})
	}
	names, err := local.Names(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, names, "nothing of it was stored")

	require.Equal(t, http.StatusCreated, r.do(http.MethodPut, "/v1/blobs/"+key, strings.NewReader("words")).status)
	r.refused(http.StatusPreconditionFailed, wire.CodeBlobExists, http.MethodPut, "/v1/blobs/"+key, strings.NewReader("words"), "If-None-Match", "*")
	require.Error(t, remote.Remove(t.Context(), key), "nothing is removed from elsewhere")
	require.ErrorIs(t, remote.StoreNamed(t.Context(), key, []byte("words")), blob.ErrExists)
}

func TestAnUploadThatBreaksOffLeavesNothing(t *testing.T) {
	_, _, local, remote := shelves(t)
	ctx, cancel := context.WithCancel(t.Context())
	w, err := remote.Create(ctx, "sha256/00/00000000000000000000000000000000000000000000000000000000000000")
	require.NoError(t, err)
	_, err = w.Write(bytes.Repeat([]byte("x"), 1<<20))
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, w.Close(), context.Canceled)
	require.Eventually(t, func() bool { // also of the file that it was to become
		names, err := local.Names(t.Context(), "")
		return err == nil && len(names) == 0
	}, patience, 10*time.Millisecond)
}

func TestWhatAnImportFindsIsKeptAndWhatIsTornIsReplaced(t *testing.T) {
	_, dir, local, remote := shelves(t)
	ref, err := remote.Import(t.Context(), strings.NewReader("some words"))
	require.NoError(t, err)
	file := filepath.Join(dir, filepath.FromSlash(ref.Key))
	old := time.Now().Add(-2 * blob.RenewedFor)
	require.NoError(t, os.Chtimes(file, old, old))
	_, err = remote.Import(t.Context(), strings.NewReader("some words"))
	require.NoError(t, err)
	marks, err := local.Names(t.Context(), "renewed/")
	require.NoError(t, err)
	require.Equal(t, []string{"renewed/" + ref.Key}, marks)

	require.NoError(t, os.Truncate(file, 3))
	_, err = remote.Import(t.Context(), strings.NewReader("some words"))
	require.NoError(t, err)
	require.Equal(t, "some words", contentOf(t, local, ref))
}

func TestContentThatIsCutOffIsNoContent(t *testing.T) {
	_, _, local, _ := shelves(t)
	ref, err := local.Import(t.Context(), strings.NewReader(strings.Repeat("x", 1<<20)))
	require.NoError(t, err)
	cut := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(ref.Size))
		_, _ = io.WriteString(w, "xxx")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	c, err := client.New(serveOnly(t, cut), client.Options{})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	in, err := blob.New(c.Bucket()).Open(t.Context(), ref)
	require.NoError(t, err)
	_, err = io.ReadAll(in)
	require.ErrorIs(t, err, events.ErrUnavailable)
	require.NoError(t, in.Close())
}

func TestRangesOfBlobs(t *testing.T) {
	r, _, local, _ := shelves(t)
	ref, err := local.Import(t.Context(), strings.NewReader("0123456789"))
	require.NoError(t, err)
	for _, c := range []struct {
		ranged, want string
		status       int
	}{
		{"", "0123456789", 200}, {"bytes=2-4", "234", 206}, {"bytes=7-", "789", 206}, {"bytes=-2", "89", 206},
	} {
		got := r.do(http.MethodGet, "/v1/blobs/"+ref.Key, nil, "Range", c.ranged)
		require.Equal(t, c.status, got.status, c.ranged)
		require.Equal(t, c.want, string(got.body))
		require.NotEmpty(t, got.header.Get("Repr-Digest"))
	}
	r.refused(http.StatusRequestedRangeNotSatisfiable, wire.CodeUnsatisfied, http.MethodGet, "/v1/blobs/"+ref.Key, nil, "Range", "bytes=99-")
	head := r.do(http.MethodHead, "/v1/blobs/"+ref.Key, nil)
	require.Equal(t, int64(10), head.length)
}

func TestAnOutputThatWasAlteredIsNeverGivenWhole(t *testing.T) {
	dir := t.TempDir()
	r := serve(t, deed.Options{Dir: dir, Handlers: greeters(nil)})
	for id, name := range map[string]string{"small": strings.Repeat("x", 8<<10), "large": strings.Repeat("x", 200<<10)} {
		_, err := r.client.Submit(t.Context(), wire.Submit{ID: id, Definition: hello, Inputs: names(name)})
		require.NoError(t, err)
		r.ended(id)
		for p, err := range r.client.Parts(t.Context(), id, "text") {
			require.NoError(t, err)
			require.NotNil(t, p.Ref)
			file := filepath.Join(dir, "blobs", filepath.FromSlash(p.Ref.Key))
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			data[0]++
			require.NoError(t, os.WriteFile(file, data, 0o600))
		}
	}
	r.refused(http.StatusInternalServerError, wire.CodeCorrupt, http.MethodGet, "/v1/processes/small/outputs/text/0", nil)
	content, err := r.client.OpenPart(t.Context(), "large", "text", 0)
	require.NoError(t, err)
	_, err = io.ReadAll(content)
	require.ErrorIs(t, err, events.ErrUnavailable, "it is cut off before its end")
	require.NoError(t, content.Close())
}
