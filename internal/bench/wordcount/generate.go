package wordcount

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Texts are drawn from a vocabulary whose frequencies follow Zipf's law, as those
// of natural languages roughly do: the word of rank k is about as frequent as
// 1/(k+shift)^exponent. So a few words are everywhere, and of a long tail each
// occurs once or twice, which is what makes tables of counts grow.
const (
	seed       = 20260101
	vocabulary = 1 << 20
	exponent   = 1.3
	shift      = 2.7
	perLine    = 12 // words
)

// dictionary is the vocabulary, the most frequent word first, which are the
// shorter ones. Of the long tail some are spelled alike, which makes them one word.
func dictionary() []string {
	const consonants, vowels = "bcdfghjklmnprstvwz", "aeiou"
	words := make([]string, vocabulary)
	random := rand.New(rand.NewPCG(seed, 0))
	var spelled []byte
	for rank := range words {
		spelled = spelled[:0]
		for range 1 + int(math.Log10(float64(rank+1)))/2 + random.IntN(3) {
			spelled = append(spelled, consonants[random.IntN(len(consonants))], vowels[random.IntN(len(vowels))])
		}
		if random.IntN(2) == 0 {
			spelled = append(spelled, consonants[random.IntN(len(consonants))])
		}
		words[rank] = string(spelled)
	}
	return words
}

// Generate writes so many texts, of so many bytes together or a little more, into
// a folder. The same numbers give the same bytes each time.
func Generate(dir string, texts int, bytes int64) error {
	words := dictionary()
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for n := range texts {
		group.Go(func() error {
			f, err := os.Create(filepath.Join(dir, textName(n)))
			if err != nil {
				return err
			}
			if err := writeText(f, words, n, bytes/int64(texts)+1); err != nil {
				_ = f.Close()
				return err
			}
			return f.Close()
		})
	}
	return group.Wait()
}

func textName(n int) string { return fmt.Sprintf("%06d.txt", n) }

// writeText writes text n, of at least size bytes.
func writeText(w io.Writer, words []string, n int, size int64) error {
	random := rand.New(rand.NewPCG(seed, uint64(n)+1))
	ranks := rand.NewZipf(random, exponent, shift, vocabulary-1)
	out := bufio.NewWriterSize(w, 64<<10)
	inLine := 0
	for written := int64(0); written < size; {
		word := words[ranks.Uint64()]
		end := byte(' ')
		if inLine++; inLine%perLine == 0 {
			end = '\n'
		}
		out.WriteString(word) // its error comes again from Flush
		out.WriteByte(end)
		written += int64(len(word)) + 1
	}
	return out.Flush()
}
