package worker

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func command(words ...string) task.Run { return task.Run{Command: words} }

func script(text string) task.Run { return task.Run{Shell: text} }

func TestAProgramIsAllowedByAPatternThatMatchesAllOfItsWords(t *testing.T) {
	for _, c := range []struct {
		pattern string
		allows  []task.Run
		refuses []task.Run
	}{
		{
			"python3 count.py",
			[]task.Run{command("python3", "count.py")},
			[]task.Run{
				command("python3"), command("python3", "count.py", "-v"), command("python3", "-c", "count.py"),
				command("/usr/bin/python3", "count.py"), command("python3", "./count.py"), command("python3 count.py"), script("python3 count.py"),
			},
		},
		{
			"python3 count.py *",
			[]task.Run{command("python3", "count.py"), command("python3", "count.py", "-v", "../x\n")},
			[]task.Run{command("python3", "other.py"), command("python3"), command("python3", "count.py", "a\x00b")},
		},
		{
			"./tools/*/run *.csv",
			[]task.Run{command("./tools/a/run", "x.csv"), command("./tools/..a/run", ".csv")},
			[]task.Run{
				command("./tools/../run", "x.csv"), command("./tools/./run", "x.csv"), command("./tools//run", "x.csv"),
				command("./tools/a/b/run", "x.csv"), command("tools/a/run", "x.csv"), command("./tools/a/run", "d/x.csv"), command("./tools/a/run"),
			},
		},
		{
			"[^a]b/c ?",
			[]task.Run{command("xb/c", "1")},
			[]task.Run{command("ab/c", "1"), command("/b/c", "1"), command("xb/c", ""), command("xb/c", "/")},
		},
		{`"two words" 'it''s' a\*b "*"`, []task.Run{command("two words", "its", "a*b", "*")}, []task.Run{command("two words", "its", "axb", "*"), command("two words", "its", "a*b", "x"), command("two", "words", "its", "a*b", "*")}},
		{"'*'", []task.Run{command("*")}, []task.Run{command("ls"), command("*", "x"), script("ls")}},
		{"/opt/bin/*", []task.Run{command("/opt/bin/x")}, []task.Run{command("/opt/bin/.."), command("/opt/bin/"), command("opt/bin/x"), command("/opt/bin/x", "y")}},
		{"sh", []task.Run{script("rm -rf /"), command("sh")}, []task.Run{command("sh", "-c", "x"), command("/bin/sh")}},
		{"sh *", []task.Run{command("sh", "-c", "x")}, []task.Run{script("ls")}},
		{"s*", []task.Run{command("sort")}, []task.Run{script("ls")}},
		{"*", []task.Run{script("ls"), command("x"), command("../../x", "y")}, []task.Run{command("x\x00")}},
		{"* x", []task.Run{command("any", "x")}, []task.Run{command("any"), command("d/any", "x"), script("x")}},
	} {
		p, err := parsePrograms([]string{c.pattern})
		require.NoError(t, err, c.pattern)
		for _, run := range c.allows {
			require.NoError(t, p.refuses(run), "%s %q", c.pattern, run)
		}
		for _, run := range c.refuses {
			require.Error(t, p.refuses(run), "%s %q", c.pattern, run)
		}
	}
}

func TestAPatternThatCannotBeMeantIsRefusedWithTheRemedy(t *testing.T) {
	for pattern, complaint := range map[string]string{
		"":             "it is empty",
		"  ":           "it is empty",
		"a 'b":         "the quote ' is not closed",
		`a\`:           "ends with a backslash",
		"a [b":         "close the bracket",
		"a[b/c]":       "close the bracket",
		"a\nb":         "on one line",
		"a\x00":        "on one line",
		"\xff":         "as text",
		"a \x1b[31m b": "on one line",
	} {
		require.ErrorContains(t, CheckAllow([]string{"fine", pattern}), complaint, "%q", pattern)
	}
	require.NoError(t, CheckAllow(nil))
}

func TestARefusalNamesWhatIsAllowed(t *testing.T) {
	refusal := func(run task.Run, patterns ...string) string {
		p, err := parsePrograms(append([]string{}, patterns...))
		require.NoError(t, err)
		return p.refuses(run).Error()
	}
	require.Equal(t, `this worker does not run the program ["rm" "-rf"]: it allows "wc *", "sort"`, refusal(command("rm", "-rf"), "wc *", "sort"))
	require.Equal(t, `this worker does not run a script (sh), which the pattern "sh" would allow: it allows "wc *"`, refusal(script("wc"), "wc *"))
	require.Contains(t, refusal(command("wc")), "this worker runs no programs")
	require.Less(t, len(refusal(command(strings.Repeat("x", 1<<20)), strings.Repeat("y", 1<<20))), task.MaxError)
}

// FuzzAllow holds the matching to what a refusal has to mean, whatever a
// definition says.
func FuzzAllow(f *testing.F) {
	for _, seed := range [][2]string{
		{"python3 count.py *", "python3\ncount.py"}, {"./*/x", "./../x"}, {"'a b'", "a b"}, {"[^a]", "/"}, {`\**`, "*x"}, {"a *", "a\n\x00"}, {"*", "..\n/"}, {"''*", "x"}, {"sh/x", "y"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, line string) {
		words := strings.Split(line, "\n")
		p, err := parsePrograms([]string{text})
		if err != nil {
			return
		}
		one := p.patterns[0]
		if p.refuses(command(words...)) == nil {
			require.NotContains(t, line, "\x00")
			require.GreaterOrEqual(t, len(words), len(one.words))
			require.True(t, one.rest || len(words) == len(one.words))
			for i, names := range one.words {
				require.Equal(t, len(names), strings.Count(words[i], "/")+1, "no wildcard stands for a slash")
				for j, name := range strings.Split(words[i], "/") {
					if name == ".." || name == "." || name == "" {
						require.Equal(t, name, names[j], "nor for what is no name")
					}
				}
			}
		}
		everything := len(one.words) == 0 && one.rest
		require.Equal(t, everything || len(one.words) == 1 && !one.rest && strings.Join(one.words[0], "/") == "sh",
			p.refuses(script("x"+line)) == nil, "a script is allowed by sh and * alone")
		literal := make([]string, len(words))
		for i, word := range words {
			literal[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		if same, err := parsePrograms([]string{strings.Join(literal, " ")}); err == nil && len(words) > 0 {
			require.NoError(t, same.refuses(command(words...)), "what is quoted stands for itself")
			require.Error(t, same.refuses(command(append(words, "x")...)))
		}
	})
}
