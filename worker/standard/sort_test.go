package standard

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecordsAreSorted(t *testing.T) {
	for name, c := range map[string]struct {
		parts  []Part
		params []string
		want   string
	}{
		"by their bytes, parts together, and the last line of each is ended": {[]Part{file("a", "b\nd"), file("b", "c\na\n")}, nil, "a\nb\nc\nd\n"},
		"the line end is no part of what is compared":                        {[]Part{file("a", "a b\na\r\na\n")}, nil, "a\r\na\na b\n"},
		"from the end":                   {[]Part{file("a", "a\nc\nb\n")}, []string{"reverse=true"}, "c\nb\na\n"},
		"each once":                      {[]Part{file("a", "b\na\nb\na\n")}, []string{"unique=true"}, "a\nb\n"},
		"the first of them":              {[]Part{file("a", "c\nb\na\nd\n")}, []string{"first=2"}, "a\nb\n"},
		"the first of those that differ": {[]Part{file("a", "c\na\nb\na\nd\n")}, []string{"first=2", "unique=true"}, "a\nb\n"},
		"none give an empty part":        {nil, nil, ""},
		"by a column, those that are equal as they came":  {[]Part{file("a", "b 1\na 2\nc 1\nd 2\n")}, []string{"separator= ", "by=2"}, "b 1\nc 1\na 2\nd 2\n"},
		"from the end, those that are equal as they came": {[]Part{file("a", "b 1\na 2\nc 1\nd 2\n")}, []string{"separator= ", "by=2", "reverse=true"}, "a 2\nd 2\nb 1\nc 1\n"},
		"by numbers":                                     {[]Part{file("a", "10\n9\n-1\n1e1\n\n")}, []string{"by=1 number"}, "\n-1\n9\n10\n1e1\n"},
		"by several columns, each its own way":           {[]Part{file("a", "x,1\ny,2\nx,10\n")}, []string{"records=csv", "by=1 desc, 2 number desc"}, "y,2\nx,10\nx,1\n"},
		"a shorter text first, and last when descending": {[]Part{file("a", "ab,1\na,2\n")}, []string{"records=csv", "by=1 desc,2"}, "ab,1\na,2\n"},
		"CSV by the names in its header, which stays":    {[]Part{file("a", "n,\"the key\"\r\n1,b\n"), file("b", "n,\"the key\"\n2,a\n")}, []string{"records=csv", "header=true", `by="the key"`}, "n,\"the key\"\r\n2,a\n1,b\n"},
		"a header under a byte order mark is found":      {[]Part{file("a", "\xef\xbb\xbfk\nb\na\n")}, []string{"records=csv", "header=true", "by=k"}, "k\na\nb\n"},
		"records with line ends in quotes stay whole":    {[]Part{file("a", "\"b\nx\",1\n\"a\ny\",2\n")}, []string{"records=csv", "by=1"}, "\"a\ny\",2\n\"b\nx\",1\n"},
		"quoted and not quoted are the same value":       {[]Part{file("a", "\"b\",1\na,2\nb,3\n\"a\",4\n")}, []string{"records=csv", "by=1"}, "a,2\n\"a\",4\n\"b\",1\nb,3\n"},
		"JSON lines by a member, null and nothing first": {[]Part{file("a", "{\"n\":2}\n{\"n\":\"10\"}\n{}\n{\"n\":null}\n{\"n\":-1}\n")}, []string{"records=json-lines", "by=n number"}, "{}\n{\"n\":null}\n{\"n\":-1}\n{\"n\":2}\n{\"n\":\"10\"}\n"},
		"JSON lines by text, however it is escaped":      {[]Part{file("a", "{\"k\":\"\\u0062\"}\n{\"k\":\"a\"}\n")}, []string{"records=json-lines", "by=k"}, "{\"k\":\"a\"}\n{\"k\":\"\\u0062\"}\n"},
		"a member whose name is a number":                {[]Part{file("a", "{\"2\":2}\n{\"2\":1}\n")}, []string{"records=json-lines", "by=2"}, "{\"2\":1}\n{\"2\":2}\n"},
		"an empty file beside others with a header":      {[]Part{file("e", ""), file("a", "k\nb\n")}, []string{"records=csv", "header=true", "by=k"}, "k\nb\n"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, one(t, "deed/sort", c.parts, c.params...))
			require.Equal(t, c.want, one(t, "deed/sort", c.parts, append(c.params, "memory=1B")...), "with a run on disk for each record")
		})
	}
}

func TestWhatIsSortedHasTheNameThatIsSaidOrThatOfTheFirstPart(t *testing.T) {
	parts := []Part{file("a.csv", "x\n"), file("b.csv", "y\n")}
	require.Equal(t, "a.csv", done(t, "deed/sort", parts)[0].name)
	require.Equal(t, "all.csv", done(t, "deed/sort", parts, "name=all.csv")[0].name)
	b := &bench{t: t, parts: parts, params: told(t, "deed/sort"), key: "group"}
	require.NoError(t, b.run("deed/sort"))
	require.Equal(t, "group", b.written[0].key)
}

func TestMoreThanThereIsRoomForIsSortedByWayOfTheDisk(t *testing.T) {
	parts := []Part{file("a", shuffled(20_000)), file("b", shuffled(10_000))}
	lines := strings.SplitAfter(shuffled(20_000)+shuffled(10_000), "\n")
	slices.Sort(lines)
	for _, memory := range []string{"1GiB", "100KiB", "2KiB"} { // no run, some, and more than are merged at a time
		b, err := do(t, "deed/sort", parts, "memory="+memory)
		require.NoError(t, err)
		require.Equal(t, strings.Join(lines, ""), b.written[0].text, memory)
		require.Zero(t, b.left(), "runs are removed once they are merged")
		require.Equal(t, memory != "1GiB", b.dir != "", "the disk is used only if it has to be")
	}
}

func TestTheOrderOfEqualRecordsIsKeptHoweverManyRunsThereAre(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var records []string
	for i := range 5_000 {
		records = append(records, fmt.Sprintf("%d,%d\n", random.IntN(5), i))
	}
	parts := []Part{file("a", strings.Join(records[:2_000], "")), file("b", strings.Join(records[2_000:], ""))}
	for _, reverse := range []bool{false, true} {
		want := slices.Clone(records)
		slices.SortStableFunc(want, func(a, b string) int {
			if reverse {
				a, b = b, a
			}
			return int(a[0]) - int(b[0])
		})
		for _, memory := range []string{"1MiB", "1KiB"} {
			got := one(t, "deed/sort", parts, "records=csv", "by=1", "memory="+memory, fmt.Sprintf("reverse=%v", reverse))
			require.Equal(t, strings.Join(want, ""), got, "memory %s, reverse %v", memory, reverse)
		}
	}
}

func TestARecordThatCannotBeComparedIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		params []string
		want   string
	}{
		"without the column":           {"a,1\nb\n", []string{"records=csv", "by=2"}, `logs/x.csv:2: the record has 1 columns, so there is no column 2: "b"`},
		"with a text for a number":     {"a,1\nb,two\n", []string{"records=csv", "by=2 number"}, `logs/x.csv:2: column 2 is "two", which is no number`},
		"behind a field of many lines": {"\"a\n\n\",1\nb,two\n", []string{"records=csv", "by=2 number"}, `logs/x.csv:4: column 2 is "two", which is no number`},
		"without the name":             {"a,b\n1,2\n", []string{"records=csv", "header=true", "by=c"}, `logs/x.csv:1: the header has no column "c": it is "a,b"`},
		"of JSON that is no object":    {"{}\n[1]\n", []string{"records=json-lines", "by=c"}, `logs/x.csv:2: this is no JSON object: "[1]"`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, refused(t, "deed/sort", []Part{keyed("logs", "x.csv", c.text)}, c.params...))
		})
	}
	require.Equal(t, `the parameter by: column "a" has a name, but the parts have no header: write its number, or header: true`,
		refused(t, "deed/sort", nil, "records=csv", "by=a"))
	require.Equal(t, `the parameter by: column 2 of lines that are one column: say what separates them by separator`,
		refused(t, "deed/sort", nil, "by=2"))
	require.Equal(t, `b:1: the header is "x,z", but that of a is "x,y"`,
		refused(t, "deed/sort", []Part{file("a", "x,y\n"), file("b", "x,z\n")}, "records=csv", "header=true"))
	require.Equal(t, `part 1:1: the record that begins here has more than 3 bytes: raise the parameter largest, if it is one`,
		refused(t, "deed/sort", []Part{{Open: file("", "a\n").Open}, {Open: file("", "abcd\n").Open}}, "largest=3B"))
}
