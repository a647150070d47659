package specs

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/deedrun/deed/orchestrator/process"
)

// String is the rule in prose, as far as it is told.
func (s Spec) String() string {
	var b strings.Builder
	b.WriteString(capital(s.Name) + "\n")
	clause(&b, "Given", s.past())
	if s.When != nil {
		clause(&b, "When", []string{s.When.String()})
	}
	clause(&b, "Then", s.follows())
	if s.Sends != nil {
		clause(&b, "Send", strings.Split(strings.TrimSuffix(effectLines(s.Sends), "\n"), "\n"))
	}
	return b.String()
}

// past is what was there before When.
func (s Spec) past() []string {
	var past []string
	if len(s.Given) > 0 || len(s.After) == 0 {
		past = shortened(lines(s.Given))
	}
	for _, c := range s.After {
		past = append(past, c.String())
	}
	return past
}

// mostAlike is how many lines in a row may say the same of other tasks.
const mostAlike = 6

// shortened tells a long row of lines that differ in nothing but numbers by its
// first and its last.
func shortened(lines []string) []string {
	var short []string
	for len(lines) > 0 {
		alike := 1
		for alike < len(lines) && unnumbered(lines[alike]) == unnumbered(lines[0]) {
			alike++
		}
		if alike > mostAlike {
			short = append(short, lines[0], fmt.Sprintf("%d more like it", alike-2), lines[alike-1])
		} else {
			short = append(short, lines[:alike]...)
		}
		lines = lines[alike:]
	}
	return short
}

func unnumbered(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, line)
}

func (s Spec) follows() []string {
	switch {
	case s.Fails != "":
		return []string{"it is refused: " + s.Fails}
	case s.Outcome != nil:
		return s.Outcome.lines()
	}
	if s.Then == nil {
		return nil
	}
	return lines(s.Then)
}

func clause(b *strings.Builder, word string, lines []string) {
	for i, line := range lines {
		if i > 0 {
			word = "and"
		}
		fmt.Fprintf(b, "%5s %s\n", word, strings.TrimSpace(line))
	}
}

func lines(events []process.Event) []string {
	if len(events) == 0 {
		return []string{"nothing"}
	}
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = e.String()
	}
	return out
}

func sentences(events []process.Event) string { return indented(lines(events)) }

func indented(lines []string) string { return "  " + strings.Join(lines, "\n  ") + "\n" }

func effectLines(effects []process.Effect) string {
	if len(effects) == 0 {
		return "  nothing\n"
	}
	var b strings.Builder
	for _, e := range effects {
		fmt.Fprintf(&b, "  %s\n", e)
	}
	return b.String()
}

func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// Markdown renders features as a page.
func Markdown(title, introduction string, features ...Feature) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", title, introduction)
	for _, f := range features {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", capital(f.Name), f.About)
		for _, s := range f.Specs {
			text := s.String()
			_, body, _ := strings.Cut(text, "\n")
			fmt.Fprintf(&b, "\n**%s**\n\n```text\n%s```\n", capital(s.Name), body)
		}
	}
	return b.String()
}

// Prose renders features for a terminal.
func Prose(features ...Feature) string {
	var b strings.Builder
	for i, f := range features {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s\n%s\n", strings.ToUpper(f.Name), f.About)
		for _, s := range f.Specs {
			b.WriteString("\n" + s.String())
		}
	}
	return b.String()
}
