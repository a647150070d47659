package blob

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func FuzzALineOfAManifestReadsAsEncodingJSONReadsIt(f *testing.F) {
	sum := strings.Repeat("0af1", 16)
	for _, e := range []Entry{
		{Index: 17, Ordinal: 3, Part: task.Part{Value: []byte(`{"x":[1,"}"]}`)}},
		{Part: task.Part{Key: "a", Name: "b.txt", Ref: &task.Ref{Key: "p/step/0/1/1-x/0", Size: 12, SHA256: sum}}},
		{Part: task.Part{Key: "ä", Name: `"<\`, Ref: &task.Ref{URL: "https://host/x?a=b&c", Size: 1 << 40, ETag: `"e"`}}},
	} {
		line, err := encodeLine(e)
		require.NoError(f, err)
		f.Add(string(line))
	}
	for _, line := range []string{
		`{"index":01,"ordinal":0,"value":1}`, `{"index":1,"ordinal":0,"value":1,"value":2}`, `{"index":1,"ordinal":0,"value":1 }`,
		`{"index":1,"ordinal":-0,"value":null}`, `{"index":9999999999999999999,"ordinal":0,"value":1}`, `{"index":,"ordinal":0}`,
		`{"index":1,"ordinal":0,"key":"\ud800","value":1}`, "{\"index\":1,\"ordinal\":0,\"key\":\"\xff\",\"value\":1}",
		`{"index":1,"ordinal":0,"ref":null}`, `{"index":1,"ordinal":0,"ref":{"size":1},"value":1}`, `{"index":1,"ordinal":0}`,
	} {
		f.Add(line + "\n")
	}
	f.Fuzz(func(t *testing.T, line string) {
		got, ok := plainEntry([]byte(line))
		if !ok {
			return
		}
		var want Entry
		require.NoError(t, json.Unmarshal([]byte(line), &want))
		require.Equal(t, want, got)
	})
}

func TestWhatIsWrittenIsReadWithoutEncodingJSONUnlessItIsEscaped(t *testing.T) {
	for name, plain := range map[string]bool{"part-1": true, "Größe": true, `a"b`: false, "a<b": false} {
		line, err := encodeLine(Entry{Index: 1, Part: task.Part{Name: name, Value: []byte("1")}})
		require.NoError(t, err)
		_, ok := plainEntry(line)
		require.Equal(t, plain, ok, "%s", line)
		e, err := decodeEntry(line)
		require.NoError(t, err)
		require.Equal(t, name, e.Name)
	}
}
