package blob

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestAKeySaysWhatItsBlobIsForAndWhoseItIs(t *testing.T) {
	content := "ab/" + strings.Repeat("c", 62)
	for key, want := range map[string]string{
		"word-count/clean/dedupe/0/17/1-n3/0":               "data word-count",
		"word-count/deed/seal/partial/0/0/1-n3/manifest":    "data word-count",
		"word-count/count/2/reports/1-n3":                   "data word-count",
		"logs/word-count/clean/dedupe/0/17/1-n3/000001.log": "log word-count",
		"logs/count/0/17/1-n3/0":                            "data logs", // a process with the name of a folder
		"snapshots/count/0/17/1-n3/0":                       "data snapshots",
		"snapshots/word-count/00000000000000002000":         "snapshot word-count",
		"archives/word-count.tar.gz":                        "archive word-count",
		"sha256/" + content:                                 "input ",
		"inputs/" + content:                                 "input ",
		"renewed/sha256/" + content:                         "renewal ",
		"sweeping/abc":                                      "sweep ",
		"cache/" + content:                                  "cache ",
		"cache/count/0/17/1-n3/0":                           "data cache",
		"cache/ab/cd":                                       "foreign ",
		"views/ps/1":                                        "view ",
		"sha256/" + content + ".18a3f.tmp":                  "unfinished ",
		"word-count/count/0/17/1-n3/0.18a3f.tmp":            "unfinished word-count",
		"holiday.jpg":                                       "foreign ",
		"holiday.18a3f.tmp":                                 "foreign ",
		"word-count/notes.txt":                              "foreign ",
		"Word Count/count/0/17/1-n3/0":                      "foreign ",
		"word-count/count/0/x/1-n3/0":                       "foreign ",
		"sha256/ab/cd":                                      "foreign ",
		"archives/word-count.117.tar.gz":                    "archive word-count",
		"archives/word-count.old.tar.gz":                    "foreign ",
		"archives/word-count.zip":                           "foreign ",
		"snapshots/word-count/2000":                         "foreign ",
	} {
		kind, process := Classify(key)
		require.Equal(t, want, string(kind)+" "+process, key)
	}
}

func TestAllThatLiesInADirectoryIsListed(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), "file://"+dir)
	require.NoError(t, err)
	defer s.Close()
	want := map[string]bool{}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "p/count/0/0/1-n"), 0o700))
	for i := range walkPage + 3 { // more than a page in one folder
		key := fmt.Sprintf("p/count/0/0/1-n/%d", i)
		require.NoError(t, os.WriteFile(filepath.Join(dir, key), []byte("12345"), 0o600))
		want[key] = true
	}
	w, err := s.Create(t.Context(), "p/count/0/0/2-n/0") // killed before it is finished
	require.NoError(t, err)
	defer w.Abort()
	unfinished := 0
	for _, o := range objects(t, s) {
		if kind, _ := Classify(o.Key); kind == KindUnfinished {
			unfinished++
			continue
		}
		require.True(t, want[o.Key], o.Key)
		require.Equal(t, int64(5), o.Size)
		require.WithinDuration(t, time.Now(), o.ModTime, time.Minute)
		delete(want, o.Key)
	}
	require.Empty(t, want)
	require.Equal(t, w.nameless == nil, unfinished == 1, "it has a name only where a file must have one from the beginning")
}

func TestWhatIsSweptLeavesNoEmptyFoldersAndTouchesNothingElse(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), "file://"+dir)
	require.NoError(t, err)
	defer s.Close()
	for _, key := range []string{"a/count/0/0/1-n/0", "a/count/0/0/1-n/1", "a/count/0/0/2-n/0", "b/count/0/0/1-n/0", "logs/b/count/0/0/1-n/000000.log", "logs/c/count/0/0/1-n/000000.log"} {
		require.NoError(t, s.StoreNamed(t.Context(), key, []byte("x")))
	}
	gone := 0
	count := func(Object) { gone++ }
	require.NoError(t, s.Sweep(t.Context(), []Object{{Key: "a/count/0/0/1-n/0"}, {Key: "a/count/0/0/1-n/1"}, {Key: "a/count/0/0/1-n/7"}}, false, count))
	require.NoDirExists(t, filepath.Join(dir, "a/count/0/0/1-n"))
	require.FileExists(t, filepath.Join(dir, "a/count/0/0/2-n/0"))
	require.NoError(t, s.Sweep(t.Context(), []Object{{Key: "a/count/0/0/2-n/0"}}, false, count))
	require.DirExists(t, filepath.Join(dir, "a/count/0/0"), "the process may write there again")

	require.NoError(t, s.Sweep(t.Context(), []Object{{Key: "b/count/0/0/1-n/0"}, {Key: "logs/b/count/0/0/1-n/000000.log"}}, true, count))
	require.NoDirExists(t, filepath.Join(dir, "b"))
	require.NoDirExists(t, filepath.Join(dir, "logs/b"))
	require.FileExists(t, filepath.Join(dir, "logs/c/count/0/0/1-n/000000.log"))
	require.Equal(t, 6, gone)
}

func TestWhatADatasetNeedsIsItsListAndTheParts(t *testing.T) {
	s, err := Open(t.Context(), "mem://")
	require.NoError(t, err)
	defer s.Close()
	part := func(i int) task.Part {
		return task.Part{Name: "x", Ref: &task.Ref{Key: fmt.Sprintf("p/count/0/%d/1-n/0", i), Size: 1, SHA256: strings.Repeat("0", 64)}}
	}
	var parts []task.Part
	for i := range 1000 {
		parts = append(parts, part(i))
	}
	long, err := s.Dataset(t.Context(), "inputs", parts)
	require.NoError(t, err)
	require.NotNil(t, long.Manifest)
	report, err := s.WriteReport(t.Context(), "p/count/0/reports/1-n", []task.Produced{{Index: 1, Data: "d", Part: part(2000)}})
	require.NoError(t, err)

	var keys Keys
	require.False(t, keys.Has("anything"))
	require.NoError(t, keys.AddDataset(t.Context(), s, long))
	require.NoError(t, keys.AddDataset(t.Context(), s, task.Inline([]task.Part{part(1001)})))
	require.NoError(t, keys.AddSource(t.Context(), s, task.Source{Report: &report, Tasks: task.Span(0, 2), Parts: []task.Produced{{Part: part(2001)}}}))
	for _, i := range []int{0, 500, 999, 1001, 2000, 2001} {
		require.True(t, keys.Has(part(i).Ref.Key), i)
	}
	require.True(t, keys.Has(long.Manifest.Key))
	require.True(t, keys.Has(report.Key))
	require.False(t, keys.Has(part(1002).Ref.Key))

	require.NoError(t, s.Remove(t.Context(), long.Manifest.Key))
	require.ErrorIs(t, keys.AddDataset(t.Context(), s, long), ErrNotFound)
}

func TestASetOfAMillionKeysIsSmall(t *testing.T) {
	const n = 1_000_000
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	var keys Keys
	for _, times := range []int{n, n / 10} { // what several processes share costs once
		for i := range times {
			keys.Add(fmt.Sprintf("p/count/0/%d/1-n/0", i))
		}
	}
	held := float64(heap()-before) / n
	require.Less(t, held, 40.0, "bytes a key")
	for i := 0; i < n; i += 997 {
		require.True(t, keys.Has(fmt.Sprintf("p/count/0/%d/1-n/0", i)))
	}
	t.Logf("%.1f bytes a key", held)
}

func TestAFolderThatVanishesWhileItIsListedIsNoError(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), "file://"+dir)
	require.NoError(t, err)
	defer s.Close()
	for _, key := range []string{"a/count/0/0/1-n/0", "b/count/0/0/1-n/0"} {
		require.NoError(t, s.StoreNamed(t.Context(), key, []byte("x")))
	}
	seen := 0
	for o, err := range s.Objects(t.Context()) {
		require.NoError(t, err)
		process, _, _ := strings.Cut(o.Key, "/")
		require.NoError(t, os.RemoveAll(filepath.Join(dir, process))) // another sweep has taken all of it
		seen++
	}
	require.Equal(t, 2, seen)
}
