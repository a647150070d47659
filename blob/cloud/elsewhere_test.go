package cloud_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/cloudtest"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"
)

// within is the URL of something in a bucket.
func within(url, path string) string {
	bucket, query, ok := strings.Cut(url, "?")
	if ok {
		return bucket + "/" + path + "?" + query
	}
	return bucket + "/" + path
}

func readPart(ctx context.Context, store *blob.Store, p task.Part) (string, error) {
	r, err := store.OpenPart(ctx, p)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

func TestObjectsOfACloudAreReadWhereTheyLieAndOnlyAsTheyWere(t *testing.T) {
	t.Parallel()
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			bucket := server.Bucket(t)
			raw := server.Raw(t, bucket)
			write := func(key, text string) {
				t.Helper()
				require.NoError(t, raw.WriteAll(t.Context(), key, []byte(text), &gcblob.WriterOptions{ContentType: "text/plain"}))
			}
			write("logs/2026/a b%.csv", "first")
			write("logs/b.csv", "second")
			write("logs2/c.csv", "another folder")

			store := open(t, "mem://")
			parts, area, err := store.Refer(t.Context(), within(server.URL(bucket), "logs/"), nil)
			require.NoError(t, err)
			require.Len(t, parts, 2)
			require.Equal(t, []string{"", "2026"}, []string{parts[0].Key, parts[1].Key})
			require.Equal(t, []string{"b.csv", "a b%.csv"}, []string{parts[0].Name, parts[1].Name})
			_, err = readPart(t.Context(), store, parts[0])
			var denied *blob.DeniedError
			require.ErrorAs(t, err, &denied)
			require.NoError(t, store.AllowReading(area))
			text, err := readPart(t.Context(), store, parts[1])
			require.NoError(t, err)
			require.Equal(t, "first", text)

			write("logs/b.csv", "dnoces")
			_, err = readPart(t.Context(), store, parts[0])
			var changed *blob.ChangedError
			require.ErrorAs(t, err, &changed)
			require.ErrorContains(t, err, "/logs/b.csv changed since it was submitted: its ETag was "+parts[0].Ref.ETag)
			require.NoError(t, raw.Delete(t.Context(), "logs/b.csv"))
			_, err = readPart(t.Context(), store, parts[0])
			require.ErrorAs(t, err, &changed)
			require.ErrorContains(t, err, "/logs/b.csv is gone since it was submitted")

			_, _, err = store.Refer(t.Context(), within(server.URL(bucket), "none/"), nil)
			require.ErrorContains(t, err, "nothing is there")
		})
	}
}

func TestOutputsAreWrittenIntoAFolderOfACloudInPlaceOfWhatWasThere(t *testing.T) {
	t.Parallel()
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			bucket := server.Bucket(t)
			folder, err := blob.OpenFolder(t.Context(), within(server.URL(bucket), "results"))
			require.NoError(t, err)
			defer func() { require.NoError(t, folder.Close()) }()
			for _, text := range []string{"before", "now"} {
				require.NoError(t, folder.Put(t.Context(), "files/x", strings.NewReader(text)))
			}
			broken := io.MultiReader(strings.NewReader("half of it"), failing{})
			require.ErrorIs(t, folder.Put(t.Context(), "files/x", broken), io.ErrClosedPipe)
			text, err := server.Raw(t, bucket).ReadAll(t.Context(), "results/files/x")
			require.NoError(t, err)
			require.Equal(t, "now", string(text))
			require.Contains(t, folder.URL("files/x"), "://"+bucket+"/results/files/x")
		})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAnObjectWhoseConnectionIsCutIsReadOnUnlessItChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, start := range clouds {
		for _, changes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", name, changes), func(t *testing.T) {
				t.Parallel()
				behind := start(t)
				bucket := behind.Bucket(t)
				raw := behind.Raw(t, bucket)
				before, after := strings.Repeat("before", 1<<17), strings.Repeat("behind", 1<<17)
				require.NoError(t, raw.WriteAll(t.Context(), "x", []byte(before), nil))
				var reads atomic.Int32
				server, _ := behind.Behind(t, func(r *http.Request) cloudtest.Fault {
					if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/x") || strings.Contains(r.URL.Path, "/storage/") {
						return cloudtest.None // not for its content
					}
					switch n := reads.Add(1); {
					case n == 1:
						return cloudtest.CutAnswer
					case n == 2 && changes:
						assert.NoError(t, raw.WriteAll(t.Context(), "x", []byte(after), nil))
					}
					return cloudtest.None
				})
				store := open(t, "mem://")
				parts, area, err := store.Refer(t.Context(), within(server.URL(bucket), "x"), nil)
				require.NoError(t, err)
				require.NoError(t, store.AllowReading(area))
				text, err := readPart(t.Context(), store, parts[0])
				require.Greater(t, reads.Load(), int32(1))
				if !changes {
					require.NoError(t, err)
					require.Equal(t, before, text)
					return
				}
				var changed *blob.ChangedError
				require.ErrorAs(t, err, &changed)
				require.NotContains(t, text, "behind")
			})
		}
	}
}
