package standard

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPartsArePutTogetherInTheirOrder(t *testing.T) {
	for name, c := range map[string]struct {
		parts  []Part
		params []string
		want   string
	}{
		"each line is ended":                         {[]Part{file("b", "1\n2"), file("a", "3"), file("e", ""), file("c", "\n4\n")}, nil, "1\n2\n3\n\n4\n"},
		"bytes are as they are":                      {[]Part{file("b", "1"), file("a", "\xef\xbb\xbf2")}, []string{"records=bytes"}, "1\xef\xbb\xbf2"},
		"none give an empty part":                    {nil, nil, ""},
		"a header stands once":                       {[]Part{file("e", ""), file("a", "k\r\n1\n"), file("b", "k\n2")}, []string{"records=csv", "header=true"}, "k\r\n1\n2\n"},
		"a header of lines stands once":              {[]Part{file("a", "k\n1\n"), file("b", "k\n2\n3\n")}, []string{"header=true"}, "k\n1\n2\n3\n"},
		"a byte order mark stays out of the middle":  {[]Part{file("a", "1\n"), file("b", "\xef\xbb\xbf2\n")}, []string{"records=csv"}, "1\n2\n"},
		"JSON lines":                                 {[]Part{file("a", "{}"), file("b", "\n[]\n")}, []string{"records=json-lines"}, "{}\n[]\n"},
		"headers only, of many, are one header only": {[]Part{file("a", "k\n"), file("b", "k\n")}, []string{"records=csv", "header=true"}, "k\n"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, one(t, "deed/concat", c.parts, c.params...))
		})
	}
}

func TestWhatIsPutTogetherHasTheNameThatIsSaidOrThatOfTheFirstPart(t *testing.T) {
	parts := []Part{file("a", ""), file("b", "")}
	require.Equal(t, "a", done(t, "deed/concat", parts)[0].name)
	require.Equal(t, "all", done(t, "deed/concat", parts, "name=all")[0].name)
	require.Equal(t, "all", done(t, "deed/concat", nil, "name=all")[0].name)
}

func TestAPartThatWouldSwallowTheNextIsNotPutBeforeIt(t *testing.T) {
	require.Contains(t, refused(t, "deed/concat", []Part{file("a", "x,\"y\n"), file("b", "z\n")}, "records=csv"), "a:1: a quote opens")
	require.Contains(t, refused(t, "deed/concat", []Part{file("a", "k\n"), file("b", "l\n")}, "records=csv", "header=true"), `b:1: the header is "l", but that of a is "k"`)
}

func TestPartsRecordsAndBytesAreCounted(t *testing.T) {
	parts := []Part{file("a", "k\n1\n\"2\n3\"\n"), file("b", "k\n"), file("c", "")}
	b, err := do(t, "deed/count", parts, "records=csv", "header=true")
	require.NoError(t, err)
	require.Equal(t, []any{counts{Parts: 3, Records: 2, Bytes: 12}}, b.values)

	b = &bench{t: t, parts: parts, params: told(t, "deed/count"), wants: "number"}
	require.NoError(t, b.run("deed/count"))
	require.Equal(t, []any{int64(5)}, b.values, "of a number only the records")
}
