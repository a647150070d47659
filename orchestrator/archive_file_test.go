package orchestrator

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/task"
)

// entry is one of an archive.
type entry struct {
	name string
	data string
}

func unpacked(t testing.TB, file []byte) []entry {
	zip, err := gzip.NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	r := tar.NewReader(zip)
	var all []entry
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		data, err := io.ReadAll(r)
		require.NoError(t, err)
		all = append(all, entry{h.Name, string(data)})
	}
}

// packed makes an archive of entries; the sums are those of these entries.
func packed(t testing.TB, all []entry) []byte {
	var file bytes.Buffer
	w := &archiveWriter{zip: gzip.NewWriter(&file)}
	w.tar = tar.NewWriter(w.zip)
	for _, e := range all {
		if e.name != sumsEntry {
			require.NoError(t, w.bytes(e.name, []byte(e.data)))
		}
	}
	require.NoError(t, w.close())
	return file.Bytes()
}

func TestTheSameHistoryGivesTheSameBytesAndAPersonCanReadThem(t *testing.T) {
	s := newShelf(t, memevents.New())
	told, err := s.archive.story(s.ctx, "p")
	require.NoError(t, err)
	var one, other bytes.Buffer
	require.NoError(t, s.archive.write(s.ctx, &one, told))
	require.NoError(t, s.archive.write(s.ctx, &other, told))
	require.Equal(t, one.Bytes(), other.Bytes())
	var names []string
	for _, e := range unpacked(t, one.Bytes()) {
		names = append(names, e.name)
	}
	require.Equal(t, []string{"archive.json", "definition.json", "commits.jsonl", "SHA256SUMS"}, names)
	require.Contains(t, unpacked(t, one.Bytes())[0].data, `"process": "p"`)
}

func TestAnArchiveThatIsNotWhatWasWrittenIsNeverBelieved(t *testing.T) {
	s := newShelf(t, memevents.New())
	file := s.exported()
	good := func() []entry { return unpacked(t, file) }
	replaced := func(at int, old, new string) []byte {
		all := good()
		require.Contains(t, all[at].data, old)
		all[at].data = string(bytes.Replace([]byte(all[at].data), []byte(old), []byte(new), 1))
		return packed(t, all)
	}
	require.Equal(t, file, packed(t, good()))
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"nothing":              {nil, "it is no archive of deed"},
		"something else":       {[]byte("a text"), "it is no archive of deed"},
		"torn":                 {file[:len(file)/2], "it was torn or altered"},
		"torn at the end":      {file[:len(file)-9], "it was torn or altered"},
		"a later format":       {replaced(0, `"format": 1`, `"format": 2`), "its format is 2, this version of deed reads 1"},
		"of another process":   {replaced(0, `"process": "p"`, `"process": "q"`), `the history is of process "p", not of "q"`},
		"another count":        {replaced(0, `"commits": 3`, `"commits": 4`), "archive.json says something else than the commits"},
		"an unknown field":     {replaced(0, `"format": 1`, `"format": 1, "x": 1`), "unknown field"},
		"another definition":   {replaced(1, `"fan-out"`, `"fan-in"`), "is not the definition that the commits lead to"},
		"an altered event":     {replaced(2, `"worker":"w1"`, `"worker":7`), "commits.jsonl, line 2: event"},
		"an unknown event":     {replaced(2, `"type":"step-started"`, `"type":"step-begun"`), "step-begun"},
		"a commit is missing":  {packed(t, without(good(), 2)), "holds events"},
		"an entry is missing":  {packed(t, append(good()[:1], good()[2:]...)), `"commits.jsonl" stands where "definition.json" comes next`},
		"an entry too many":    {packed(t, append(good()[:3], entry{"manifests/x", "x"})), `"manifests/x" stands where "SHA256SUMS" comes next`},
		"other sums":           {resummed(t, good()), "does not have the digests in SHA256SUMS"},
		"nothing after a file": {packed(t, good()[:2]), `"SHA256SUMS" stands where "commits.jsonl" comes next`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readArchive(bytes.NewReader(c.file), visitor{})
			require.ErrorContains(t, err, c.says)
			there := newArchive(t, memevents.New())
			_, _, err = there.Import(s.ctx, bytes.NewReader(c.file), ada, s.now)
			require.Error(t, err)
			names, err := there.Blobs.Names(s.ctx, "")
			require.NoError(t, err)
			require.Empty(t, names)
		})
	}
}

// without leaves out the second commit.
func without(all []entry, at int) []entry {
	lines := bytes.SplitAfter([]byte(all[at].data), []byte("\n"))
	all[at].data = string(lines[0]) + string(bytes.Join(lines[2:], nil))
	return all
}

// resummed is an archive whose last entry says something else.
func resummed(t *testing.T, all []entry) []byte {
	var file bytes.Buffer
	w := &archiveWriter{zip: gzip.NewWriter(&file)}
	w.tar = tar.NewWriter(w.zip)
	for _, e := range all[:len(all)-1] {
		require.NoError(t, w.bytes(e.name, []byte(e.data)))
	}
	w.sums.WriteString("0  x\n")
	require.NoError(t, w.close())
	return file.Bytes()
}

func TestAnAlteredBlobOfAnArchiveIsNeverRead(t *testing.T) {
	s := newShelf(t, memevents.New())
	r, err := s.archiveIt()
	require.NoError(t, err)
	other := newShelf(t, memevents.New())
	foreign := other.exported()
	for name, bytes := range map[string][]byte{"torn": foreign[:100], "of another history": foreign, "empty": nil} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, s.archive.Blobs.Remove(s.ctx, r.Archive.Key))
			require.NoError(t, s.archive.Blobs.StoreNamed(s.ctx, r.Archive.Key, bytes))
			for _, err := range History(s.ctx, s.archive, "p") {
				require.ErrorContains(t, err, `"archives/p.tar.gz"`, "not one event is shown")
			}
		})
	}
}

func TestAnArchiveThatWasWrittenOnceCanBeReadForEver(t *testing.T) {
	file, err := os.ReadFile("testdata/archive.tar.gz")
	require.NoError(t, err)
	lists := 0
	s, err := readArchive(bytes.NewReader(file), visitor{manifest: func(task.Ref, io.Reader) error { lists++; return nil }})
	require.NoError(t, err)
	require.Equal(t, 1, lists)
	require.EqualValues(t, 268, s.state.Version)
	require.Equal(t, "completed, recorded", string(s.summary.Status)+", "+s.summary.ID)
}

// FuzzArchive reads what may lie in a tar file: nothing that is not consistent
// is believed, and nothing panics.
func FuzzArchive(f *testing.F) {
	file, err := os.ReadFile("testdata/small.tar.gz")
	require.NoError(f, err)
	zip, err := gzip.NewReader(bytes.NewReader(file))
	require.NoError(f, err)
	seed, err := io.ReadAll(zip)
	require.NoError(f, err)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		var file bytes.Buffer
		zip := gzip.NewWriter(&file)
		_, err := zip.Write(data)
		require.NoError(t, errors.Join(err, zip.Close()))
		s, err := readArchive(&file, visitor{})
		if err != nil {
			return
		}
		require.True(t, s.state.Ended())
		require.NoError(t, s.state.Damage())
		require.NotZero(t, s.commits)
	})
}
