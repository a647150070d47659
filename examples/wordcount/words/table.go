package words

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// MaxWord is the length of the longest word, in bytes. A longer run of letters
// is an error: it is no text, and would have to be kept in memory.
const MaxWord = 64 << 10

// Table is how often each word occurs. The zero value is an empty table.
type Table struct {
	counts map[string]*int64 // pointers: counting a known word allocates nothing
}

// Entry is a word and how often it occurs.
type Entry struct {
	Word  string
	Count int64
}

func (e Entry) String() string { return e.Word + "\t" + strconv.FormatInt(e.Count, 10) }

// CountWords adds the words of a text. An error is of r, or a *MalformedError.
func (t *Table) CountWords(r io.Reader) error {
	word := make([]byte, 0, 64)
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		for _, c := range buffer[:n] {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			switch {
			case c < 'a' || c > 'z':
				t.add(word, 1)
				word = word[:0]
			case len(word) == MaxWord:
				return &MalformedError{fmt.Sprintf("the run of letters that begins with %q has more than %d: this is no text", word[:32], MaxWord)}
			default:
				word = append(word, c)
			}
		}
		if err == io.EOF {
			t.add(word, 1)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// AddCounts adds the lines "word<TAB>count" of another table. An error is of
// r, or a *MalformedError that names the line.
func (t *Table) AddCounts(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), MaxWord+32)
	number := 0
	for lines.Scan() {
		number++
		word, count, found := strings.Cut(lines.Text(), "\t")
		n, err := strconv.ParseInt(count, 10, 64)
		if !found || word == "" || err != nil || n < 0 {
			return &MalformedError{fmt.Sprintf("line %d is %.80q; want a word, a tab and its count", number, lines.Text())}
		}
		if known := t.counts[word]; known != nil && *known > math.MaxInt64-n {
			return &MalformedError{fmt.Sprintf("line %d: the count of %.80q exceeds %d", number, word, int64(math.MaxInt64))}
		}
		t.add([]byte(word), n)
	}
	if lines.Err() == bufio.ErrTooLong {
		return &MalformedError{fmt.Sprintf("line %d has more than %d bytes; want a word, a tab and its count", number+1, MaxWord+32)}
	}
	return lines.Err()
}

func (t *Table) add(word []byte, n int64) {
	if len(word) == 0 {
		return
	}
	if known := t.counts[string(word)]; known != nil {
		*known += n
		return
	}
	if t.counts == nil {
		t.counts = map[string]*int64{}
	}
	count := n // not &n: that would allocate on every call
	t.counts[string(word)] = &count
}

// Sorted lists the table by the bytes of the words.
func (t *Table) Sorted() []Entry {
	entries := make([]Entry, 0, len(t.counts))
	for _, word := range slices.Sorted(maps.Keys(t.counts)) {
		entries = append(entries, Entry{word, *t.counts[word]})
	}
	return entries
}

// Top lists the n most frequent words, the most frequent first, those that
// occur equally often by their bytes.
func (t *Table) Top(n int) []Entry {
	entries := t.Sorted()
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(b.Count, a.Count) })
	return entries[:min(n, len(entries))]
}

// MalformedError is an input that does not become right by reading it again.
type MalformedError struct{ what string }

func (e *MalformedError) Error() string { return e.what }
