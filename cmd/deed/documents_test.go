package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What people are told to read has to fit to the command, and to the files that
// it points to.

// pages are the pages of the repository by their paths from here.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	top := filepath.Join("..", "..")
	require.NoError(t, filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != top && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		found[path] = string(text)
		return err
	}))
	require.Greater(t, len(found), 50)
	return found
}

var (
	fenced   = regexp.MustCompile("(?s)```.*?```")
	indented = regexp.MustCompile(`(?m)^ {4}.*$`)
	codeSpan = regexp.MustCompile("`deed [^`]+`")
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noAnchor = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

func TestTheCommandsAndFlagsThatDocumentsShowExist(t *testing.T) {
	root := (&app{}).root()
	root.InitDefaultHelpCmd()
	shown := 0
	for path, text := range pages(t) {
		prose := fenced.ReplaceAllString(text, "")
		code := strings.Join(append(fenced.FindAllString(text, -1), indented.FindAllString(prose, -1)...), "\n")
		for _, span := range codeSpan.FindAllString(prose, -1) {
			code += "\n" + strings.Trim(strings.Join(strings.Fields(span), " "), "`")
		}
		for _, line := range commandLines(code) {
			if strings.HasPrefix(line[0], "-") {
				continue
			}
			shown++
			cmd, rest, err := root.Find(line)
			if err != nil || cmd == root {
				t.Errorf("%s: there is no such command: deed %s", path, strings.Join(line, " "))
				continue
			}
			for _, word := range rest {
				if name, is := strings.CutPrefix(word, "--"); is && name != "" {
					name, _, _ = strings.Cut(strings.TrimRight(name, ".,)"), "=")
					known := cmd.Flags().Lookup(name) != nil || cmd.InheritedFlags().Lookup(name) != nil
					assert.True(t, known, "%s: deed %s has no flag --%s", path, cmd.Name(), name)
				}
			}
		}
	}
	require.Greater(t, shown, 400)
}

func TestTheLinksOfDocumentsLeadSomewhere(t *testing.T) {
	texts := pages(t)
	anchors := func(path string) (all []string) {
		for _, h := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(texts[path], ""), -1) {
			all = append(all, strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
		}
		return all
	}
	followed := 0
	for path, text := range texts {
		for _, found := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			file, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(file, ":") {
				continue // the web
			}
			followed++
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			_, err := os.Stat(target)
			assert.NoError(t, err, "%s links to %s", path, found[1])
			if anchor != "" && filepath.Ext(target) == ".md" {
				assert.Contains(t, anchors(target), anchor, "%s links to %s", path, found[1])
			}
		}
	}
	require.Greater(t, followed, 300)
}
