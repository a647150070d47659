package words

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCountWords(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []Entry
	}{
		"a text without letters has no words":             {"1:1 — 42\n\x00\xff", []Entry{}},
		"an empty text has no words":                      {"", []Entry{}},
		"a word ends at everything but an ASCII letter":   {"man's naïve x-y", []Entry{{"man", 1}, {"na", 1}, {"s", 1}, {"ve", 1}, {"x", 1}, {"y", 1}}},
		"upper and lower case are the same word":          {"Lord LORD lord", []Entry{{"lord", 3}}},
		"the last word needs no blank after it":           {"begin end", []Entry{{"begin", 1}, {"end", 1}}},
		"words are sorted by bytes":                       {"b aa a ab", []Entry{{"a", 1}, {"aa", 1}, {"ab", 1}, {"b", 1}}},
		"the neighbours of letters in ASCII are no words": {"@[`{", []Entry{}},
	} {
		t.Run(name, func(t *testing.T) {
			var table Table
			require.NoError(t, table.CountWords(strings.NewReader(c.text)))
			assert.Equal(t, c.want, table.Sorted())
		})
	}
	t.Run("a word that two reads share is one word", func(t *testing.T) {
		var table Table
		require.NoError(t, table.CountWords(iotest.OneByteReader(strings.NewReader("in the beginning"))))
		assert.Equal(t, []Entry{{"beginning", 1}, {"in", 1}, {"the", 1}}, table.Sorted())
	})
	t.Run("the longest word counts, and one letter more is an error that shows its beginning", func(t *testing.T) {
		var table Table
		require.NoError(t, table.CountWords(strings.NewReader(strings.Repeat("A", MaxWord))))
		assert.Equal(t, []Entry{{strings.Repeat("a", MaxWord), 1}}, table.Sorted())
		err := table.CountWords(strings.NewReader(strings.Repeat("A", MaxWord+1)))
		var malformed *MalformedError
		require.ErrorAs(t, err, &malformed)
		assert.ErrorContains(t, err, `begins with "aaaaaaaa`)
	})
	t.Run("the error of a reader is passed on", func(t *testing.T) {
		broken := errors.New("broken")
		var table Table
		assert.ErrorIs(t, table.CountWords(io.MultiReader(strings.NewReader("a b"), iotest.ErrReader(broken))), broken)
		assert.ErrorIs(t, table.AddCounts(iotest.ErrReader(broken)), broken)
	})
}

func TestAddCounts(t *testing.T) {
	t.Run("counts of the same word add up", func(t *testing.T) {
		var table Table
		require.NoError(t, table.AddCounts(strings.NewReader("a\t2\nb\t1\n")))
		require.NoError(t, table.AddCounts(strings.NewReader("")))
		require.NoError(t, table.AddCounts(strings.NewReader("b\t40\n")))
		assert.Equal(t, []Entry{{"a", 2}, {"b", 41}}, table.Sorted())
	})
	t.Run("the longest word with the largest count can be read back", func(t *testing.T) {
		longest := Entry{strings.Repeat("z", MaxWord), 1<<63 - 1}
		var table Table
		require.NoError(t, table.AddCounts(strings.NewReader(longest.String()+"\n")))
		assert.Equal(t, []Entry{longest}, table.Sorted())
	})
	t.Run("a sum beyond any number is an error", func(t *testing.T) {
		var table Table
		err := table.AddCounts(strings.NewReader("a\t9223372036854775807\na\t1\n"))
		assert.ErrorContains(t, err, `line 2: the count of "a" exceeds`)
	})
	for name, text := range map[string]string{
		"without a tab":     "a 1",
		"without a word":    "\t1",
		"without a count":   "a\t",
		"below zero":        "a\t-1",
		"beyond any number": "a\t9223372036854775808",
		"of three columns":  "a\t1\t2",
		"without an end":    strings.Repeat("a", MaxWord+33),
	} {
		t.Run("a line "+name+" is an error that names the line", func(t *testing.T) {
			var table Table
			err := table.AddCounts(strings.NewReader("ok\t1\n" + text))
			var malformed *MalformedError
			require.ErrorAs(t, err, &malformed)
			assert.ErrorContains(t, err, "line 2 ")
			assert.Less(t, len(err.Error()), 500, "an error does not repeat its input at length")
		})
	}
}

func TestTop(t *testing.T) {
	var table Table
	require.NoError(t, table.AddCounts(strings.NewReader("b\t2\nc\t9\na\t2\nd\t1\n")))
	t.Run("the most frequent come first, and those that are equally frequent by word", func(t *testing.T) {
		assert.Equal(t, []Entry{{"c", 9}, {"a", 2}, {"b", 2}}, table.Top(3))
	})
	t.Run("asking for more than there are gives all, for none gives none", func(t *testing.T) {
		assert.Len(t, table.Top(100), 4)
		assert.Empty(t, table.Top(0))
	})
}

func FuzzAddCounts(f *testing.F) {
	f.Add("a\t1\nb\t22\n")
	f.Add("a\tx")
	f.Fuzz(func(t *testing.T, text string) {
		var table Table
		if table.AddCounts(strings.NewReader(text)) != nil {
			return
		}
		var lines strings.Builder
		for _, e := range table.Sorted() {
			lines.WriteString(e.String() + "\n")
		}
		var again Table
		require.NoError(t, again.AddCounts(strings.NewReader(lines.String())))
		assert.Equal(t, table.Sorted(), again.Sorted())
	})
}
