package orchestrator

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// refusedFile imports a file, of which nothing may be kept.
func refusedFile(t *testing.T, file []byte, says string) {
	t.Helper()
	there := newArchive(t, memevents.New())
	_, _, err := there.Import(t.Context(), bytes.NewReader(file), ada, time.Now())
	require.ErrorContains(t, err, says)
	names, err := there.Blobs.Names(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, names)
}

func TestAFileWhoseProcessHasAnIDThatNoneCanHaveIsNotImported(t *testing.T) {
	file, err := os.ReadFile("testdata/small.tar.gz")
	require.NoError(t, err)
	for _, id := range []string{"p.5", "", "../p", "P"} { // p.5 has the file that the fifth version of p would have
		all := unpacked(t, file)
		all[0].data = strings.Replace(all[0].data, `"recorded"`, `"`+id+`"`, 1)
		all[2].data = strings.Replace(all[2].data, `"id":"recorded"`, `"id":"`+id+`"`, 1)
		refusedFile(t, packed(t, all), "an ID is 1 to 64 of the characters")
	}
}

func TestWhatFollowsTheEndOfAnArchiveIsNotImportedWithIt(t *testing.T) {
	file, err := os.ReadFile("testdata/small.tar.gz")
	require.NoError(t, err)
	refusedFile(t, append(bytes.Clone(file), 0), "something follows its end")

	zip, err := gzip.NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	data, err := io.ReadAll(zip)
	require.NoError(t, err)
	var longer bytes.Buffer
	w := gzip.NewWriter(&longer)
	_, err = w.Write(append(data, 0))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	refusedFile(t, longer.Bytes(), "something follows its end")
}

func TestTheListsOfAnArchiveAreNotImportedInPlaceOfWhatOthersWrite(t *testing.T) {
	for _, key := range []string{"archives/victim.tar.gz", "snapshots/victim/00000000000000000007", "views/processes", "logs/victim/a/0/0/1-x/000000.log"} {
		list := task.Ref{Key: key, Size: 3, SHA256: sumOf("abc")}
		start := process.StartProcess{
			ID: "q", Definition: fanOut(), At: time.Unix(0, 0).UTC(),
			Inputs: map[string]task.Dataset{"in": {Count: 1, Digest: "d", Manifest: &task.Manifest{Ref: list}}},
		}
		started, err := process.Decide(process.State{}, start)
		require.NoError(t, err)
		cancelled, err := process.Decide(process.Fold(process.State{}, started...), process.CancelProcess{At: start.At})
		require.NoError(t, err)
		s := newShelf(t, memevents.New())
		s.commit("q", append(started, cancelled...)...)
		require.NoError(t, s.archive.Blobs.StoreNamed(s.ctx, key, []byte("abc")))
		told, err := s.archive.story(s.ctx, "q")
		require.NoError(t, err)
		var file bytes.Buffer
		require.NoError(t, s.archive.write(s.ctx, &file, told))
		refusedFile(t, file.Bytes(), "is the name of no list")
	}
}
