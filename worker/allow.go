package worker

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/deedrun/deed/task"
)

// programs are the patterns of what definitions may run on a worker beside its
// handlers. They say what is started and with which arguments: not what a file
// of that name contains, nor what it starts in turn. Links are not followed.
type programs struct {
	all       bool // no patterns were given
	patterns  []pattern
	variables []string // patterns of those that steps may set for them
}

// pattern is a command line, some of its words with wildcards.
type pattern struct {
	text  string
	words [][]string // by "/", each for path.Match
	rest  bool       // it ends with the word *: any further words, or none
}

// CheckAllow says what is wrong with patterns for [Options].Allow.
func CheckAllow(patterns []string) error {
	_, err := parsePrograms(patterns)
	return err
}

func parsePrograms(patterns []string) (programs, error) {
	p := programs{all: patterns == nil}
	for _, text := range patterns {
		one, err := parsePattern(text)
		if err != nil {
			return p, fmt.Errorf("allow %q: %w", clip(text), err)
		}
		p.patterns = append(p.patterns, one)
	}
	return p, nil
}

// refuses says why a program is not run here; nil: it is. A script is
// whatever it says, so that only who allows sh, or everything, allows it.
func (p programs) refuses(run task.Run) error {
	if p.all || slices.ContainsFunc(p.patterns, func(one pattern) bool { return one.allows(run) }) {
		return nil
	}
	what := fmt.Sprintf("the program %s", clip(fmt.Sprintf("%q", run.Command)))
	if run.Shell != "" {
		what = `a script (sh), which the pattern "sh" would allow`
	}
	if len(p.patterns) == 0 {
		return fmt.Errorf("this worker runs no programs, and not %s: start it with --allow, or one that allows it", what)
	}
	allowed := make([]string, len(p.patterns))
	for i, one := range p.patterns {
		allowed[i] = fmt.Sprintf("%q", one.text)
	}
	return fmt.Errorf("this worker does not run %s: it allows %s", what, clip(strings.Join(allowed, ", ")))
}

func (p pattern) allows(run task.Run) bool {
	if run.Shell != "" {
		return p.rest && len(p.words) == 0 || !p.rest && len(p.words) == 1 && slices.Equal(p.words[0], []string{"sh"})
	}
	if len(run.Command) < len(p.words) || len(run.Command) > len(p.words) && !p.rest || len(run.Command) == 0 {
		return false
	}
	for i, word := range p.words {
		if !matches(word, run.Command[i]) {
			return false
		}
	}
	return !slices.ContainsFunc(run.Command, func(word string) bool { return strings.ContainsRune(word, 0) })
}

// matches compares name by name: no wildcard stands for a "/", for "..", "." or
// for nothing between two, since none of these is a name.
func matches(pattern []string, word string) bool {
	names := strings.Split(word, "/")
	if len(names) != len(pattern) {
		return false
	}
	for i, name := range names {
		same := name == pattern[i]
		if name != "" && name != "." && name != ".." {
			same, _ = path.Match(pattern[i], name) // it was tried when it was parsed
		}
		if !same {
			return false
		}
	}
	return true
}

const wildcards = `*?[\`

// parsePattern splits a pattern into words as a shell does: blanks separate,
// quotes and backslashes take away every special meaning. The wildcards are
// those of path.Match.
func parsePattern(text string) (pattern, error) {
	p := pattern{text: text}
	words, err := splitWords(text)
	if err != nil {
		return p, err
	}
	if len(words) == 0 {
		return p, errors.New(`it is empty; write the words of a command line, such as "python3 count.py *"`)
	}
	if words[len(words)-1] == "*" {
		words, p.rest = words[:len(words)-1], true
	}
	for _, word := range words {
		names := strings.Split(word, "/")
		for _, name := range names {
			if _, err := path.Match(name, ""); err != nil {
				return p, fmt.Errorf("its wildcards make no sense in %q: close the bracket, or put the word in quotes", clip(word))
			}
		}
		p.words = append(p.words, names)
	}
	return p, nil
}

// splitWords returns words in which what was quoted is escaped for path.Match.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune // that is open
	begun, escaped := false, false
	literally := func(c rune) {
		if strings.ContainsRune(wildcards, c) {
			word.WriteByte('\\')
		}
		word.WriteRune(c)
	}
	for _, c := range text {
		if c != '\t' && c < ' ' || c == 0x7f || c == '\ufffd' {
			return nil, errors.New("it has a character that no command line should have: write it on one line, as text")
		}
		switch {
		case escaped:
			literally(c)
			escaped = false
		case c == '\\' && quote != '\'':
			begun, escaped = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			literally(c)
		case c == '\'' || c == '"':
			begun, quote = true, c
		case c == ' ' || c == '\t':
			if begun {
				words = append(words, word.String())
				word.Reset()
				begun = false
			}
		default:
			begun = true
			word.WriteRune(c)
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("the quote %c is not closed", quote)
	case escaped:
		return nil, errors.New(`it ends with a backslash: write \\ for the character itself`)
	case begun:
		words = append(words, word.String())
	}
	return words, nil
}
