package standard

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSortedPartsAreMerged(t *testing.T) {
	for name, c := range map[string]struct {
		parts  []Part
		params []string
		want   string
	}{
		"in order":                         {[]Part{file("a", "a\nc"), file("b", "b\nd\n"), file("e", "")}, nil, "a\nb\nc\nd\n"},
		"none give an empty part":          {nil, nil, ""},
		"equal records by part":            {[]Part{file("a", "1,x\n2,x\n"), file("b", "1,y\n")}, []string{"records=csv", "by=1"}, "1,x\n1,y\n2,x\n"},
		"descending numbers":               {[]Part{file("a", "10\n9\n"), file("b", "11\n2\n")}, []string{"by=1 number", "reverse=true"}, "11\n10\n9\n2\n"},
		"each once":                        {[]Part{file("a", "a\nb\n"), file("b", "a\nb\nc\n")}, []string{"unique=true"}, "a\nb\nc\n"},
		"the first of them":                {[]Part{file("a", "a\nc\n"), file("b", "b\n")}, []string{"first=2"}, "a\nb\n"},
		"one header for all":               {[]Part{file("a", "k\na\n"), file("b", "k\nb\n")}, []string{"records=csv", "header=true", "by=k"}, "k\na\nb\n"},
		"equal neighbours are sorted, too": {[]Part{file("a", "a\na\n")}, nil, "a\na\n"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, one(t, "deed/merge", c.parts, c.params...))
		})
	}
}

func TestAPartThatIsNotSortedIsNotMerged(t *testing.T) {
	want := "b:3: the record belongs before the one above it, so the part is not sorted as the step says: sort it by deed/sort first"
	require.Equal(t, want, refused(t, "deed/merge", []Part{file("a", "a\n"), file("b", "a\nc\nb\n")}))
	require.Equal(t, strings.Replace(want, ":3", ":2", 1), refused(t, "deed/merge", []Part{file("b", "a\nc\n")}, "reverse=true"))
}

func TestManyPartsAreMergedSomeAtATime(t *testing.T) {
	var parts []Part
	var want []string
	for i := range 3 * fanIn {
		var lines []string
		for n := range 7 {
			lines = append(lines, fmt.Sprintf("%03d,%d\n", n*i%100, i))
		}
		slices.Sort(lines)
		parts = append(parts, file(fmt.Sprint("p", i), strings.Join(lines, "")))
		want = append(want, lines...)
	}
	slices.SortStableFunc(want, func(a, b string) int { return strings.Compare(a[:3], b[:3]) })
	b, err := do(t, "deed/merge", parts, "records=csv", "by=1")
	require.NoError(t, err)
	require.Equal(t, strings.Join(want, ""), b.written[0].text)
	require.LessOrEqual(t, b.mostly, fanIn, "parts open at a time")
	require.Zero(t, b.open)

	parts[100] = file("odd", "2,\n1,\n")
	require.Contains(t, refused(t, "deed/merge", parts, "records=csv", "by=1"), "odd:2: the record belongs before the one above it")
}

func TestAPartIsReadToItsEndEvenIfItsBeginningIsEnough(t *testing.T) {
	b := &bench{t: t, params: told(t, "deed/merge", "first=1")}
	var reads []*reading
	for _, text := range []string{shuffled(1), strings.Repeat("z\n", 200_000)} {
		p := file("a", text)
		open := p.Open
		p.Open = func() (io.ReadCloser, error) {
			in, err := open()
			reads = append(reads, &reading{ReadCloser: in, bench: b})
			b.open++
			return reads[len(reads)-1], err
		}
		b.parts = append(b.parts, p)
	}
	require.NoError(t, b.run("deed/merge"))
	require.Equal(t, "000000\n", b.written[0].text)
	for _, r := range reads {
		require.True(t, r.ended, "only at the end of a part its digest is known")
	}
}
