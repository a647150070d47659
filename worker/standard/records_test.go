package standard

import (
	"bytes"
	encodingcsv "encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func jsonOf(s string) (json.RawMessage, error) { return json.Marshal(s) }

// read is all records of a text, read in small pieces.
func read(f format, text string) (records []string, err error) {
	if f.largest == 0 {
		f.largest = 1 << 20
	}
	r := f.reader("a", iotest.OneByteReader(strings.NewReader(text)), 16)
	for {
		record, err := r.next()
		if err == io.EOF {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		records = append(records, string(record))
	}
}

func TestARecordEndsWhereItsFormatSays(t *testing.T) {
	comma, semicolon := format{kind: csv, separator: ','}, format{kind: csv, separator: ';'}
	for name, c := range map[string]struct {
		format format
		text   string
		want   []string
	}{
		"lines end at line ends":                             {format{kind: lines}, "a\n\nb\r\nc", []string{"a\n", "\n", "b\r\n", "c"}},
		"an empty file has no records":                       {format{kind: lines}, "", nil},
		"a line is longer than the buffer":                   {format{kind: lines}, strings.Repeat("x", 100) + "\ny\n", []string{strings.Repeat("x", 100) + "\n", "y\n"}},
		"a line end in quotes belongs to the field":          {comma, "a,\"b\nc\"\r\nd\n", []string{"a,\"b\nc\"\r\n", "d\n"}},
		"two quotes in quotes are one":                       {comma, "\"a\"\"\nb\",c\nd", []string{"\"a\"\"\nb\",c\n", "d"}},
		"a quote inside a field without quotes is a letter":  {comma, "6\" pipe,a\nb\n", []string{"6\" pipe,a\n", "b\n"}},
		"a quote opens a field behind the separator only":    {semicolon, "a,\"b\nc;\"d\ne\"\n", []string{"a,\"b\n", "c;\"d\ne\"\n"}},
		"blank lines are no records of CSV":                  {comma, "a\n\n \nb\n", []string{"a\n", "b\n"}},
		"a byte order mark is none of CSV":                   {comma, "\xef\xbb\xbfa\nb\n", []string{"a\n", "b\n"}},
		"JSON lines are values":                              {format{kind: jsonLines}, "{\"a\":1}\n\n[2]\n3", []string{"{\"a\":1}\n", "[2]\n", "3"}},
		"a quoted field may end the file":                    {comma, "a,\"b\"", []string{"a,\"b\""}},
		"a carriage return may follow the quote at the end":  {comma, "\"b\"\r", []string{"\"b\"\r"}},
		"an empty field in quotes is a field":                {comma, "\"\",\"\"\n", []string{"\"\",\"\"\n"}},
		"a field of many buffers is read as a whole":         {comma, "\"" + strings.Repeat("x\n", 50) + "\"\ny", []string{"\"" + strings.Repeat("x\n", 50) + "\"\n", "y"}},
		"a quote that is the last of a piece is not the end": {comma, "\"aaaaaaaaaaaaaa\"\"\nb\"\nc", []string{"\"aaaaaaaaaaaaaa\"\"\nb\"\n", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			records, err := read(c.format, c.text)
			require.NoError(t, err)
			require.Equal(t, c.want, records)
		})
	}
}

func TestARecordThatIsNoneIsNamedByFileAndLine(t *testing.T) {
	for name, c := range map[string]struct {
		format     format
		text, want string
	}{
		"a line that is too long":      {format{kind: lines, largest: 5}, "abcd\nabcde\n", "a:2: the record that begins here has more than 5 bytes: raise the parameter largest, if it is one"},
		"a quote that is never closed": {format{kind: csv, separator: ','}, "a\n\"b\nc\nd", "a:2: a quote opens in the record that begins here, and none closes it"},
		"an open quote and no end":     {format{kind: csv, separator: ',', largest: 40}, "a\n\"b\n" + strings.Repeat("c\n", 50), "a:2: the record that begins here has more than 40 bytes"},
		"text behind a quote":          {format{kind: csv, separator: ','}, "\"a\nb\"\n\"a\"b\n", "a:3: a character follows the quote that closes a field"},
		"a line that is no JSON":       {format{kind: jsonLines}, "{}\n\n{\"a\":\n", `a:3: this is no JSON: "{\"a\":"`},
		"two values in a line":         {format{kind: jsonLines}, "{} {}\n", "a:1: this is no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(c.format, c.text)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// FuzzRecords: whatever the bytes and however they are cut, the records are those
// of Go's own reader, and nothing between them is lost.
func FuzzRecords(f *testing.F) {
	for _, text := range []string{"a,b\n", "\"a\nb\",c\r\n\"\"\"\"\nx", "a\"b\n", "\"a\"b\n", "\xef\xbb\xbf\"\n\"", "\n\n \r\n", "\"a\"\r"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := read(format{kind: lines}, text)
		require.NoError(t, err)
		require.Equal(t, text, strings.Join(all, ""))

		records, err := read(format{kind: csv, separator: ','}, text)
		reference := encodingcsv.NewReader(strings.NewReader(strings.TrimPrefix(text, string(bom))))
		reference.FieldsPerRecord = -1
		want, bad := reference.ReadAll()
		if err != nil {
			require.Error(t, bad, "Go's reader takes it: %v", err)
			return
		}
		left := strings.TrimPrefix(text, string(bom))
		for _, record := range records {
			at := strings.Index(left, record)
			require.GreaterOrEqual(t, at, 0)
			require.Empty(t, strings.TrimSpace(left[:at]), "only blank lines are left out")
			left = left[at+len(record):]
		}
		require.Empty(t, strings.TrimSpace(left))
		if bad != nil || strings.Contains(text, "\r") { // Go's reader refuses some quotes, and turns returns into line ends
			return
		}
		var scratch []byte
		var got [][]string
		for _, record := range records {
			var fields []string
			for _, field := range csvColumns(nil, []byte(record), ',', 1<<20, &scratch) {
				fields = append(fields, string(field))
			}
			got = append(got, fields)
		}
		require.Equal(t, notBlank(want), notBlank(got))
	})
}

// notBlank leaves out records of one blank field: Go's reader does not tell a line
// of blanks, which is no record here, from a blank in quotes.
func notBlank(records [][]string) (some [][]string) {
	for _, fields := range records {
		if len(fields) != 1 || strings.TrimSpace(fields[0]) != "" {
			some = append(some, fields)
		}
	}
	return some
}

func TestColumnsOfCSVAreWithoutTheirQuotes(t *testing.T) {
	var scratch []byte
	got := csvColumns(nil, []byte("a,\"b \"\"c\"\"\nd\",,\"\",\"e,f\",\"\"\"\"\r\n"), ',', 100, &scratch)
	require.Equal(t, "a|b \"c\"\nd|||e,f|\"", string(bytes.Join(got, []byte("|"))))
	require.Len(t, csvColumns(nil, []byte("a,b,c"), ',', 2, &scratch), 2)
	require.Len(t, csvColumns(nil, []byte("a,"), ',', 9, &scratch), 2, "what follows the last separator is a column")
	require.Len(t, csvColumns(nil, []byte("\"a\","), ',', 9, &scratch), 2)
}
