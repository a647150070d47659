package definition

import "strings"

// Speller finds the word that somebody may have meant. It stops helping when
// it has compared a lot, so that a file full of faults is still refused quickly.
// The zero value is ready; it is not for concurrent use.
type Speller struct {
	compared          int // pairs of letters
	before, last, row []int
}

const mostCompared = 10_000_000

// Hint is `did you mean "corpus"?` for the candidate nearest to word, or ""
// if none is near. Of candidates that are equally near the first counts.
func (s *Speller) Hint(word string, candidates []string) string {
	if near, ok := s.Nearest(word, candidates); ok {
		return "did you mean " + quote(near) + "?"
	}
	return ""
}

// Choice is a Hint, or else all that there is to choose from: `there are a, b, c`.
func (s *Speller) Choice(word string, known []string) string {
	if hint := s.Hint(word, known); hint != "" {
		return hint
	}
	return "there are " + strings.Join(known, ", ")
}

// Nearest is the candidate with the fewest letters added, dropped, changed or
// swapped, if that is at most a third of the word.
func (s *Speller) Nearest(word string, candidates []string) (nearest string, ok bool) {
	const longest = 200
	if len(word) > longest {
		return "", false
	}
	least := max(1, len(word)/3) + 1
	for _, c := range candidates {
		if s.compared >= mostCompared {
			break
		}
		s.compared++
		if c == word || len(c) > longest || c == "" || len(c)-len(word) >= least || len(word)-len(c) >= least {
			continue
		}
		s.compared += len(c) * len(word)
		if d := s.distance(word, c); d < least && d < max(len(word), len(c)) {
			least, nearest, ok = d, c, true
		}
	}
	return nearest, ok
}

// distance counts the edits, a swap of neighbours being one, from a to b.
func (s *Speller) distance(a, b string) int {
	before, last, row := resize(s.before, len(b)+1), resize(s.last, len(b)+1), resize(s.row, len(b)+1)
	s.before, s.last, s.row = before, last, row
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func resize(row []int, n int) []int {
	if cap(row) < n {
		return make([]int, n)
	}
	return row[:n]
}

// address is a hint to the one that may be meant, given as it looks from inside
// its group, or misspelled.
func (s *Speller) address(word string, addresses []string) string {
	if near, ok := s.ending(word, addresses); ok {
		return "did you mean " + quote(near) + "? an address begins at the outermost group"
	}
	return s.Hint(word, addresses)
}

// ending is the address that ends with "/"+word, if there is just one:
// somebody wrote an address as it looks from inside its group.
func (s *Speller) ending(word string, addresses []string) (address string, ok bool) {
	if s.compared >= mostCompared {
		return "", false
	}
	s.compared += len(addresses)
	for _, a := range addresses {
		if strings.HasSuffix(a, word) && strings.HasSuffix(a[:len(a)-len(word)], "/") {
			if ok {
				return "", false
			}
			address, ok = a, true
		}
	}
	return address, ok
}
