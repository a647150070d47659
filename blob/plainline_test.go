package blob

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func FuzzALineOfAListReadsAsEncodingJSONReadsIt(f *testing.F) {
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
		var entry Entry
		got, err := decodeEntry([]byte(line))
		requireAsJSON(t, line, &entry, got, err)

		var produced task.Produced
		report, err := decodeProduced([]byte(line))
		requireAsJSON(t, line, &produced, report, err)
	})
}

func requireAsJSON[T any](t *testing.T, line string, want *T, got T, err error) {
	t.Helper()
	wanted := json.Unmarshal([]byte(line), want)
	require.Equal(t, wanted == nil, err == nil, "%v, and encoding/json says %v", err, wanted)
	if err == nil {
		require.Equal(t, *want, got)
	}
}

func TestALineIsWrittenAsEncodingJSONWritesIt(t *testing.T) {
	sum := strings.Repeat("0af1", 16)
	for _, p := range []task.Part{
		{Value: []byte(`{"a": [1, "<b>", "\u00e9"]}`)},
		{Value: []byte(`-1.5e10`)},
		{Value: []byte(`"a b"`), Key: "Größe", Name: `"`},
		{Value: []byte(`null`), Key: "k\n", Name: "a<b"},
		{Key: "a", Name: "b.txt", Ref: &task.Ref{Key: "p/step/0/1/1-x/0", Size: 12, SHA256: sum}},
		{Name: `a\b`, Ref: &task.Ref{Key: "p/ü", Size: 1 << 40, SHA256: sum}},
		{Ref: &task.Ref{URL: "s3://bucket/x", Size: 1, ETag: `"e"`}},
	} {
		part, err := normal(p)
		require.NoError(t, err)
		for _, v := range []any{Entry{Index: 7, Ordinal: 1 << 20, Part: part}, task.Produced{Index: task.MaxIndex, Data: "out", Part: part}, task.Produced{Data: `"ü"`, Part: part}} {
			want, err := encodeLine(v)
			require.NoError(t, err)
			var got []byte
			switch v := v.(type) {
			case Entry:
				got, err = encodeEntry([]byte("before"), v)
			case task.Produced:
				got, err = encodeProduced([]byte("before"), v)
			}
			require.NoError(t, err)
			require.Equal(t, "before"+string(want), string(got))
		}
	}
}
