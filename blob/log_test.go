package blob_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

func logOf(index int) blob.LogName {
	return blob.LogName{Attempt: task.Attempt{Process: "p", Address: "step", Index: index, Attempt: 1}, Nonce: "n"}
}

// logLines are what can be read of a log.
func logLines(t *testing.T, r *blob.LogReader) []blob.LogLine {
	t.Helper()
	var all []blob.LogLine
	for l, err := range r.Lines(t.Context()) {
		require.NoError(t, err)
		all = append(all, l)
	}
	return all
}

func TestAChunkOfALogIsTextThatAPersonCanRead(t *testing.T) {
	dir := t.TempDir()
	store := open(t, "file://"+dir)
	at := time.Date(2026, 11, 21, 10, 36, 17, 42_000_000, time.FixedZone("CET", 3600))
	w := store.CreateLog(t.Context(), logOf(0), blob.LogOptions{Now: func() time.Time { return at }})
	w.Write(blob.LogOut, []byte("17 files\n"))
	w.Write(blob.LogTask, []byte("not a byte \xff more"))
	require.NoError(t, w.Close(t.Context()))
	require.Equal(t, []string{"logs/p/step/0/0/1-n/000000.log"}, filesBelow(t, dir))
	require.Equal(t, "2026-11-21T09:36:17.042000Z out 17 files\n"+
		"2026-11-21T09:36:17.042000Z log not a byte \xff more\n"+
		"2026-11-21T09:36:17.042000Z end 91 bytes, CRC-32C 04a18c6a\n", readFile(t, dir, "logs/p/step/0/0/1-n/000000.log"))
	lines := logLines(t, store.OpenLog(logOf(0)))
	require.Equal(t, blob.LogLine{Time: at.UTC(), Stream: blob.LogTask, Text: "not a byte \uFFFD more"}, lines[1])
}

func TestWhatIsPrintedCanBeFollowedTwoSecondsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := blob.Open(t.Context(), "mem://")
		require.NoError(t, err)
		defer store.Close()
		w := store.CreateLog(t.Context(), logOf(0), blob.LogOptions{Every: 2 * time.Second})
		r := store.OpenLog(logOf(0))
		w.Write(blob.LogOut, []byte("first\n"))
		time.Sleep(time.Second)
		w.Write(blob.LogOut, []byte("second\nunfinished"))
		require.Empty(t, logLines(t, r))
		time.Sleep(time.Second + time.Millisecond)
		lines := logLines(t, r)
		require.Len(t, lines, 2)
		require.Equal(t, time.Second, lines[1].Time.Sub(lines[0].Time))
		time.Sleep(time.Hour)
		require.Empty(t, logLines(t, r))
		w.Write(blob.LogErr, []byte("third\n"))
		require.NoError(t, w.Close(t.Context()))
		require.Len(t, logLines(t, r), 2)
	})
}

func TestALogThatIsWrittenForDaysHasFewChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := blob.Open(t.Context(), "mem://")
		require.NoError(t, err)
		defer store.Close()
		w := store.CreateLog(t.Context(), logOf(0), blob.LogOptions{Every: 2 * time.Second})
		for range 12 * 3600 { // twelve hours, a line a second
			w.Write(blob.LogOut, []byte("tick\n"))
			time.Sleep(time.Second)
		}
		require.NoError(t, w.Close(t.Context()))
		logs, err := store.Logs(t.Context(), "p", "")
		require.NoError(t, err)
		require.Len(t, logs, 1)
		require.Less(t, logs[0].Chunks, 12*3600/20)
	})
}

func TestOfALongLogHeadAndTailAreKeptAndTheRestIsCounted(t *testing.T) {
	for name, size := range map[string]int{"small writes": 50, "writes of many lines": 40_000, "a write of everything": 1 << 30} {
		t.Run(name, func(t *testing.T) {
			store := open(t, "mem://")
			w := store.CreateLog(t.Context(), logOf(0), blob.LogOptions{})
			var all bytes.Buffer
			for i := range 400_000 {
				fmt.Fprintf(&all, "line %d\n", i)
			}
			for p := all.Bytes(); len(p) > 0; {
				n := min(size, len(p))
				w.Write(blob.LogOut, p[:n])
				p = p[n:]
			}
			require.NoError(t, w.Close(t.Context()))
			lines := logLines(t, store.OpenLog(logOf(0)))
			kept, gap := 0, 0
			for i, l := range lines {
				if l.Stream == blob.LogGap {
					gap = i
					continue
				}
				kept += len(l.Text) + 1
			}
			require.NotZero(t, gap)
			require.Equal(t, fmt.Sprintf("%d bytes were left out here: of a log the first 1024 KiB and the last 64 KiB are kept", all.Len()-kept), lines[gap].Text)
			for i, l := range lines[:gap] {
				require.Equal(t, fmt.Sprint("line ", i), l.Text)
			}
			for i, l := range lines[gap+1:] {
				require.Equal(t, fmt.Sprint("line ", 400_000-(len(lines)-gap-1)+i), l.Text)
			}
			logs, err := store.Logs(t.Context(), "p", "")
			require.NoError(t, err)
			assert.InDelta(t, 1<<20+64<<10, logs[0].Bytes, 8<<10)
		})
	}
}

func TestHoweverALogIsCutIntoWritesItsLinesAreTheSame(t *testing.T) {
	store := open(t, "mem://")
	for seed := range 50 {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		written := map[blob.LogStream]*strings.Builder{blob.LogOut: {}, blob.LogErr: {}}
		w := store.CreateLog(t.Context(), logOf(seed), blob.LogOptions{})
		for range random.IntN(200) {
			stream := []blob.LogStream{blob.LogOut, blob.LogErr}[random.IntN(2)]
			text := make([]byte, random.IntN(300))
			for i := range text {
				text[i] = "ab\n"[random.IntN(3)]
			}
			w.Write(stream, text)
			written[stream].Write(text)
		}
		require.NoError(t, w.Close(t.Context()))
		read := map[blob.LogStream]string{}
		for _, l := range logLines(t, store.OpenLog(logOf(seed))) {
			read[l.Stream] += l.Text + "\n"
		}
		for stream, text := range written {
			want := text.String()
			if want != "" && !strings.HasSuffix(want, "\n") {
				want += "\n"
			}
			require.Equal(t, want, read[stream], "seed %d", seed)
		}
	}
}

func TestALineWithoutEndIsBrokenBetweenCharacters(t *testing.T) {
	store := open(t, "mem://")
	w := store.CreateLog(t.Context(), logOf(0), blob.LogOptions{})
	text := strings.Repeat("x€", 10_000)
	w.Write(blob.LogOut, []byte(text))
	require.NoError(t, w.Close(t.Context()))
	var joined strings.Builder
	lines := logLines(t, store.OpenLog(logOf(0)))
	require.Len(t, lines, 5)
	for _, l := range lines {
		require.LessOrEqual(t, len(l.Text), 8<<10)
		joined.WriteString(l.Text)
	}
	require.Equal(t, text, joined.String())
}

func TestALogThatCannotBeStoredSaysSoOnceAndTakesNoMore(t *testing.T) {
	store := open(t, "mem://")
	name := logOf(0)
	name.Nonce = strings.Repeat("n", 300)
	w := store.CreateLog(t.Context(), name, blob.LogOptions{})
	for range 100 {
		w.Write(blob.LogOut, bytes.Repeat([]byte("0123456789\n"), 1000))
	}
	err := w.Close(t.Context())
	require.ErrorContains(t, err, "store the log of p/step[0] attempt 1: create blob key")
	require.Equal(t, err, w.Close(t.Context()))
}

func TestAFloodNeedsNoMemory(t *testing.T) {
	for name, block := range map[string][]byte{
		"very short lines": bytes.Repeat([]byte("y\n"), 32<<10), "no lines": bytes.Repeat([]byte("x"), 64<<10),
	} {
		t.Run(name, func(t *testing.T) {
			store := open(t, "mem://")
			w := store.CreateLog(t.Context(), logOf(0), blob.LogOptions{})
			before := allocated()
			for range 128 << 20 / len(block) {
				w.Write(blob.LogErr, block)
			}
			require.NoError(t, w.Close(t.Context()))
			assert.Less(t, allocated()-before, uint64(16<<20), "bytes allocated in all, garbage included")
		})
	}
}

func readFile(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return string(data)
}
