package blob_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"testing"
	"unicode/utf8"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/require"
)

// Whatever bytes carry the right checksums, decoding them ends in parts or in
// an error: never in a panic, and never in parts that are none.

func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"index":1,"data":"out","key":"a","value":{"x":1}}` + "\n"))
	f.Add([]byte(`{"index":-1}` + "\n" + `{"ref":{"key":"../x","size":-1}}`))
	f.Add([]byte("null\n[]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		store := open(t, "mem://")
		ref := put(t, store, "report", string(data))
		for p, err := range store.ReadReport(t.Context(), ref) {
			if err == nil {
				requirePart(t, p.Part)
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	data, whole := encoded(f, 300)
	f.Add(whole, data.Manifest.IndexOffset)
	f.Add([]byte(`{"manifest":1,"count":0,"chunks":0,"keys":0}`), int64(0))
	f.Add([]byte(`{"manifest":1,"count":9,"chunks":1,"keys":1}`+"\n"+`{"first":0,"offset":0,"length":1048576}`+"\n"+`{"key":"a","first":0,"count":9}`), int64(0))
	f.Add([]byte(`{"manifest":1,"count":-1,"chunks":-1,"keys":9223372036854775807}`), int64(0))
	f.Fuzz(func(t *testing.T, data []byte, indexOffset int64) {
		store := open(t, "mem://")
		ref := put(t, store, "manifest", string(data))
		m := task.Manifest{Ref: ref, IndexOffset: indexOffset, IndexSize: ref.Size - indexOffset}
		if indexOffset >= 0 && indexOffset <= ref.Size {
			sum := sha256.Sum256(data[indexOffset:])
			m.IndexSHA256 = hex.EncodeToString(sum[:])
		}
		r, err := store.OpenManifest(t.Context(), m)
		if err != nil {
			return
		}
		for p, err := range r.All(t.Context()) {
			if err == nil {
				requirePart(t, p)
			}
		}
		for _, i := range []int{0, r.Count() / 2, r.Count() - 1} {
			_, _ = r.Part(t.Context(), i)
		}
		for j := range min(r.Keys(), 3) {
			for range r.Group(t.Context(), j) {
			}
			for range r.Bucket(t.Context(), j, 3) {
			}
		}
	})
}

// FuzzManifestChunk decodes a chunk whose index is right.
func FuzzManifestChunk(f *testing.F) {
	data, whole := encoded(f, 3)
	f.Add(whole[:data.Manifest.IndexOffset], 3)
	f.Add([]byte("{}\n"), 1)
	f.Add([]byte(`{"index":1,"ordinal":-1,"value":1}`+"\n"), 1)
	f.Fuzz(func(t *testing.T, chunk []byte, count int) {
		store := open(t, "mem://")
		sum := sha256.Sum256(chunk)
		index := indexOf(len(chunk), count, hex.EncodeToString(sum[:]))
		ref := put(t, store, "manifest", string(chunk)+index)
		sum = sha256.Sum256([]byte(index))
		r, err := store.OpenManifest(t.Context(), task.Manifest{
			Ref: ref, IndexOffset: int64(len(chunk)), IndexSize: int64(len(index)), IndexSHA256: hex.EncodeToString(sum[:]),
		})
		if err != nil {
			return
		}
		p, err := r.Part(t.Context(), count-1)
		if err == nil {
			requirePart(t, p)
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, key := range []string{"a/b", "../x", "a/../../x", "\x00", "a..__0x2f__b", "süß", "x.attrs"} {
		f.Add(key)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, key string) {
		if blob.CheckKey(key) != nil {
			return
		}
		store := open(t, "file://"+dir+"/blobs")
		w, err := store.Create(t.Context(), "fuzz/"+key)
		if err != nil {
			return // "a" and "a/b" cannot both be files; the key of 1,024 bytes got longer
		}
		defer w.Abort()
		_, err = io.WriteString(w, key)
		require.NoError(t, err)
		for _, file := range filesBelow(t, dir) {
			require.Regexp(t, "^blobs/fuzz/", file)
		}
	})
}

func requirePart(t *testing.T, p task.Part) {
	t.Helper()
	require.NotEqual(t, p.Ref == nil, len(p.Value) == 0, "a part has a blob or a value: %+v", p)
	if p.Ref != nil {
		require.NoError(t, blob.CheckKey(p.Ref.Key))
		require.GreaterOrEqual(t, p.Ref.Size, int64(0))
	}
}

// FuzzLogChunk: whatever lies in the place of a chunk, it is read as lines of
// text, and never taken for whole unless the writer wrote it.
func FuzzLogChunk(f *testing.F) {
	f.Add([]byte("2026-11-21T10:36:17.042000Z out 17 files\n2026-11-21T10:36:19.000000Z end 41 bytes, CRC-32C 00000000\n"), false)
	f.Add([]byte("17 files\nno end"), true)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, data []byte, written bool) {
		store := open(t, "mem://")
		if written {
			w := store.CreateLog(t.Context(), logOf(0), blob.LogOptions{})
			w.Write(blob.LogOut, data)
			require.NoError(t, w.Close(t.Context()))
		} else {
			put(t, store, "logs/p/step/0/0/1-n/000000.log", string(data))
		}
		lines, said := 0, false
		for l, err := range store.OpenLog(logOf(0)).Lines(t.Context()) {
			require.NoError(t, err)
			require.True(t, utf8.ValidString(l.Text))
			require.Len(t, l.Stream, 3)
			lines++
			said = said || l.Stream == blob.LogGap
		}
		require.Equal(t, !written && lines > 0, said)
	})
}
