package standard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFileIsCutBetweenRecords(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		params []string
		want   []string
	}{
		"parts are at most as large as is said":       {"a\nbb\nc\nd\n", []string{"size=5B"}, []string{"a\nbb\n", "c\nd\n"}},
		"a record that is larger is a part":           {"a\n" + "123456789\n" + "b\n", []string{"size=4B"}, []string{"a\n", "123456789\n", "b\n"}},
		"an empty file gives none":                    {"", nil, nil},
		"the last line is ended":                      {"a\nb", []string{"size=2B"}, []string{"a\n", "b\n"}},
		"no CSV record is cut":                        {"\"a\nb\",1\n\"c\n\"\"d\",2\n", []string{"records=csv", "size=10B"}, []string{"\"a\nb\",1\n", "\"c\n\"\"d\",2\n"}},
		"each part has the header":                    {"k,v\na,1\nb,2\n", []string{"records=csv", "header=true", "size=8B"}, []string{"k,v\na,1\n", "k,v\nb,2\n"}},
		"a header of several lines is one":            {"\"k\n1\",v\na,1\nb,2\n", []string{"records=csv", "header=true", "size=1B"}, []string{"\"k\n1\",v\na,1\n", "\"k\n1\",v\nb,2\n"}},
		"a file that is nothing but a header is kept": {"k,v\n", []string{"records=csv", "header=true"}, []string{"k,v\n"}},
		"a header without a line end gets one":        {"k,v", []string{"records=csv", "header=true"}, []string{"k,v\n"}},
		"a separator says where quotes open":          {"a;\"b\nc\"\nd;e\n", []string{"records=csv", "separator=;", "size=1B"}, []string{"a;\"b\nc\"\n", "d;e\n"}},
		"JSON lines without blank ones":               {"{}\n\n[1]\n", []string{"records=json-lines", "size=1B"}, []string{"{}\n", "[1]\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, texts(done(t, "deed/split", []Part{file("a.csv", c.text)}, c.params...)))
		})
	}
}

func TestPartsOfAFileAreNumberedAndKeepItsKey(t *testing.T) {
	for name, want := range map[string]string{
		"access.log": "access-00002.log", "README": "README-00002", ".hidden": ".hidden-00002", "a.b.csv": "a.b-00002.csv", "": "",
	} {
		all := done(t, "deed/split", []Part{keyed("k", name, "a\nb\n")}, "size=1B")
		require.Equal(t, want, all[1].name)
		require.Equal(t, "k", all[1].key)
	}
}

func TestEachFileOfAListIsCutByItself(t *testing.T) {
	all := done(t, "deed/split", []Part{file("a", "1\n2\n3\n"), file("b", "4\n5\n")}, "size=4B")
	require.Equal(t, []string{"1\n2\n", "3\n", "4\n5\n"}, texts(all))
	require.Equal(t, "b-00001", all[2].name)
}

func TestWhatIsNotARecordIsNotCut(t *testing.T) {
	require.Contains(t, refused(t, "deed/split", []Part{file("a.csv", "x\n\"y\n")}, "records=csv"), "a.csv:2: a quote opens")
	require.Contains(t, refused(t, "deed/split", []Part{file("a.log", "x\n"+strings.Repeat("y", 2000))}, "largest=1KiB"), "a.log:2: the record that begins here has more than 1024 bytes")
}

// FuzzSplit: what is split and put together again is what it was, whatever the size.
func FuzzSplit(f *testing.F) {
	f.Add("a\nb\n\"c\nd\",e\n", uint8(3), false)
	f.Add("k\n1\n2", uint8(1), true)
	f.Fuzz(func(t *testing.T, text string, size uint8, header bool) {
		for _, records := range []string{"lines", "csv"} {
			params := []string{"records=" + records, fmt.Sprintf("header=%v", header)}
			whole, err := do(t, "deed/concat", []Part{file("a", text)}, params...)
			if records == "csv" && err != nil {
				continue
			}
			require.NoError(t, err)
			parts, err := do(t, "deed/split", []Part{file("a", text)}, append(params, fmt.Sprintf("size=%dB", int(size)+1))...)
			require.NoError(t, err)
			var again []Part
			for _, w := range parts.written {
				again = append(again, file(w.name, w.text))
			}
			require.Equal(t, whole.written[0].text, one(t, "deed/concat", again, params...))
		}
	})
}
