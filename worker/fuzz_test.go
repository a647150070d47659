package worker

import (
	"log/slog"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/mem"
)

func FuzzNamesStayInTheirDirectoryAndApart(f *testing.F) {
	for _, s := range []string{"", ".", "..", "../..", "/etc/passwd", "a/b", "a//b", "a\x00b", "naïve.txt", ".hidden", "a~b.txt", "\xff"} {
		f.Add(s, "x")
		f.Add("a/"+s, s)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		for _, s := range []string{one, two} {
			name := safeName(s)
			require.True(t, filepath.IsLocal(name), "%q", name)
			require.NotContains(t, name, "/")
			require.LessOrEqual(t, len(name), 255)
			where := path.Join(safeFolders(s)...)
			require.True(t, s == "" || filepath.IsLocal(where), "%q", where)
			require.LessOrEqual(t, len(where), pathBytes)
		}
		if one != two {
			require.NotEqual(t, path.Join(safeFolders(one)...), path.Join(safeFolders(two)...))
			if one != "" && two != "" {
				require.NotEqual(t, safeName(one), safeName(two))
			}
		}
	})
}

func FuzzAMessageIsReportedOrKeptButNeverEndsTheWorker(f *testing.F) {
	f.Add([]byte(`{"process":"p","address":"a","attempt":1,"tasks":"0-4","run":{"handler":"deed/seal"}}`), 1)
	f.Add([]byte(`{"process":"p","address":"a/b","tasks":"3","run":{"command":["x"]},"inputs":[{"local":"../a","mode":"element","lists":[[{"key":"..","value":1}]]}]}`), 1)
	f.Add([]byte(`{"process":"p","address":"a","tasks":"0-2147483646","run":{"handler":"x"}}`), 2)
	f.Add([]byte(`{"process":"../p","tasks":"x"}`), 1)
	f.Add([]byte("\x00"), 3)
	blobs, err := blob.Open(f.Context(), "mem://")
	require.NoError(f, err)
	f.Cleanup(func() { _ = blobs.Close() })
	f.Fuzz(func(t *testing.T, body []byte, count int) {
		now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		newQueue := func() *mem.Queue { return mem.NewQueue(mem.Options{Now: func() time.Time { return now }}) }
		work, inbox, bad := newQueue(), laneOfReports(t, newQueue()), newQueue()
		require.NoError(t, work.Send(t.Context(), queue.Message{Key: "sent", Body: body}))
		if count > 1 {
			_, err := work.Receive(t.Context(), 1, 0)
			require.NoError(t, err)
			now = now.Add(work.Lease())
		}
		w, err := New(Options{
			Name: "w", Work: work, Inbox: inbox, Signals: mem.NewSignals(), Blobs: blobs, Quarantine: bad,
			Slots: 1, Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir(),
		})
		require.NoError(t, err)
		var m headers
		decoded, tasks, err := m.decode(body)
		if err == nil {
			if decoded.work.Run.Handler == "" {
				t.Skip("nothing that the fuzzer makes up is executed")
			}
			if count <= 1 && tasks.Len() > 100 {
				t.Skip("a slot would be busy for long")
			}
		}
		for range 150 {
			_, err := w.Step(t.Context(), now)
			require.NoError(t, err)
		}
		reports, err := inbox.Receive(t.Context(), 1000, 0)
		require.NoError(t, err)
		kept, err := bad.Receive(t.Context(), 10, 0)
		require.NoError(t, err)
		require.NotEqual(t, len(reports) > 0, len(kept) > 0)
		left, err := work.Pending(t.Context(), "sent")
		require.NoError(t, err)
		require.Zero(t, left)
	})
}
