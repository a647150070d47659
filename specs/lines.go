package specs

import (
	"regexp"
	"strings"

	"github.com/deedrun/deed/task"
)

var (
	shortSubject = regexp.MustCompile(`([a-z][a-z0-9_/-]*)\[(\d+[-–,][-–, 0-9]*)\]`)
	longSubject  = regexp.MustCompile(`: tasks (\d[-–, 0-9]*)`)
)

// canonical brings events in words into one form, so that people may write
// them with the keys that they have: count[0-2] scheduled is
// count: tasks 0–2 scheduled.
func canonical(events []string) []string {
	var all []string
	for _, line := range events {
		line = strings.Join(strings.Fields(line), " ")
		line = shortSubject.ReplaceAllString(line, "$1: tasks $2")
		line = longSubject.ReplaceAllStringFunc(line, func(found string) string {
			text := strings.TrimRight(found, " ")
			space := found[len(text):]
			var tasks task.Ranges
			plain := strings.NewReplacer("–", "-", " ", "").Replace(strings.TrimPrefix(text, ": tasks "))
			if tasks.UnmarshalText([]byte(plain)) != nil {
				return found
			}
			return ": tasks " + tasks.String() + space
		})
		all = append(all, line)
	}
	if len(all) == 0 {
		return []string{"nothing"}
	}
	return all
}

// mostCompared bounds what a diff may cost; longer texts are told one after the other.
const mostCompared = 1 << 20

// diff shows two texts side by side, line by line: what is in both, what only
// the one wants, what only the other has.
func diff(want, got []string) string {
	var b strings.Builder
	say := func(label string, lines []string) {
		for _, line := range lines {
			b.WriteString("  " + label + "  " + line + "\n")
		}
	}
	const both, wanted, came = "    ", "want", "got "
	start := 0
	for start < min(len(want), len(got)) && want[start] == got[start] {
		start++
	}
	say(both, want[:start])
	want, got = want[start:], got[start:]
	if len(want)*len(got) > mostCompared {
		say(wanted, want)
		say(came, got)
		return b.String()
	}
	common := commonLines(want, got)
	for len(want) > 0 || len(got) > 0 {
		switch i, j := len(want), len(got); {
		case i > 0 && j > 0 && want[0] == got[0]:
			say(both, want[:1])
			want, got = want[1:], got[1:]
		case j == 0 || i > 0 && common[i-1][j] >= common[i][j-1]:
			say(wanted, want[:1])
			want = want[1:]
		default:
			say(came, got[:1])
			got = got[1:]
		}
	}
	return b.String()
}

// commonLines is how many lines the last i of one and the last j of the other
// text have in common, in order.
func commonLines(want, got []string) [][]int {
	common := make([][]int, len(want)+1)
	for i := range common {
		common[i] = make([]int, len(got)+1)
	}
	for i := 1; i <= len(want); i++ {
		for j := 1; j <= len(got); j++ {
			common[i][j] = max(common[i-1][j], common[i][j-1])
			if want[len(want)-i] == got[len(got)-j] {
				common[i][j] = common[i-1][j-1] + 1
			}
		}
	}
	return common
}
