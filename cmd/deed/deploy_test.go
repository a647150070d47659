package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What deploy/ says has to fit to what the command does.

// deploy is the path of a file or folder in deploy/.
func deploy(names ...string) string {
	return filepath.Join(append([]string{"..", "..", "deploy"}, names...)...)
}

// read is a file of deploy/ as text.
func readDeploy(t *testing.T, names ...string) string {
	t.Helper()
	data, err := os.ReadFile(deploy(names...))
	require.NoError(t, err)
	return string(data)
}

// understood holds a command line, without the name of the command, to the real
// flags; environment is what it is started with. It returns what was understood.
func understood(t *testing.T, line []string, environment map[string]string) *cobra.Command {
	t.Helper()
	config := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(config, "deed"), 0o700))
	contexts := "contexts: {here: {server: 'http://127.0.0.1:8420'}, prod: {server: 'https://prod:8420'}, composed: {server: 'https://localhost:8420'}}\n"
	require.NoError(t, os.WriteFile(filepath.Join(config, "deed", "config.yaml"), []byte(contexts), 0o600))
	t.Setenv("XDG_CONFIG_HOME", config)
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "DEED_") && !strings.HasPrefix(name, "DEED_TEST_") {
			t.Setenv(name, "") // of the line before, or of whoever runs the tests
		}
	}
	for name, value := range environment {
		t.Setenv(name, value)
	}
	a := &app{}
	cmd, rest, err := a.root().Find(existing(t, line))
	require.NoError(t, err, "deed %s", strings.Join(line, " "))
	require.NoError(t, cmd.ParseFlags(rest), "deed %s", strings.Join(line, " "))
	require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), "deed %s", strings.Join(line, " "))
	if parent := cmd.Parent(); !parent.HasParent() || parent.PersistentPreRunE == nil { // else a context does not count
		require.NoError(t, a.fill(cmd), "deed %s", strings.Join(line, " "))
	}
	if cmd.PreRunE != nil {
		require.NoError(t, cmd.PreRunE(cmd, cmd.Flags().Args()), "deed %s", strings.Join(line, " "))
	}
	for name := range environment {
		if strings.HasPrefix(name, "DEED_") && !strings.HasPrefix(name, "DEED_SECRET_") {
			assert.True(t, standsForFlag(cmd, name), "%s stands for no flag of deed %s", name, cmd.Name())
		}
	}
	return cmd
}

// existing is a line with folders that exist, where the command looks whether they do.
func existing(t *testing.T, line []string) []string {
	line = slices.Clone(line)
	for i, word := range line {
		if strings.HasPrefix(word, "--secrets=") {
			line[i] = "--secrets=" + t.TempDir()
		}
	}
	return line
}

// standsForFlag reports whether a variable says something to a command.
func standsForFlag(cmd *cobra.Command, variable string) bool {
	found := variable == "DEED_NATS_TOKEN" || variable == "DEED_TOKEN"
	cmd.Flags().VisitAll(func(f *pflag.Flag) { found = found || variableOf(f.Name) == variable })
	return found
}

// commandLines are the lines of a text that call deed, as a shell would
// understand them: continued lines are one, what follows a |, > or && is a
// command of its own, and what follows a # is none.
func commandLines(text string) [][]string {
	var lines [][]string
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		words := shellWords(strings.TrimPrefix(strings.TrimSpace(line), "$ "))
		for len(words) > 0 {
			end := slices.IndexFunc(words, func(w string) bool { return strings.ContainsAny(w[:min(1, len(w))], "#|>&;") })
			if end < 0 {
				end = len(words)
			}
			if end > 1 && words[0] == "deed" {
				lines = append(lines, words[1:end])
			}
			if end < len(words) && words[end][0] == '#' {
				break
			}
			words = words[min(end+1, len(words)):]
		}
	}
	return lines
}

// shellWords splits a line at blanks outside of quotes; one whose quotes do not
// match is prose, and has none.
func shellWords(line string) (words []string) {
	var word strings.Builder
	var quote rune
	in := false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, in = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if in {
				words = append(words, word.String())
				word.Reset()
			}
			in = false
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if quote != 0 {
		return nil
	}
	if in {
		words = append(words, word.String())
	}
	return words
}

func TestTheCommandLinesOfDeployAreUnderstood(t *testing.T) {
	asked := 0
	require.NoError(t, filepath.WalkDir(deploy(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".json" {
			return err
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, line := range commandLines(string(data)) {
			asked++
			understood(t, line, nil)
		}
		return nil
	}))
	require.GreaterOrEqual(t, asked, 8)
}
