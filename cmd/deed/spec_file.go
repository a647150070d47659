package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/specs/file"
)

// isSpecFile tells a file from a text to look for.
func isSpecFile(arg string) bool {
	if _, err := os.Stat(arg); err == nil {
		return true
	}
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(arg))
}

// specFiles checks the specifications of all files, whatever is wrong with some of them.
func (a *app) specFiles(args []string) error {
	paths, err := specPaths(args)
	if err != nil {
		return err
	}
	var faults []definition.Fault
	var unreadable []error
	told := []toldFile{}
	for _, path := range paths {
		f, wrong, err := file.Load(path)
		switch {
		case err != nil:
			unreadable = append(unreadable, err)
		case len(wrong) > 0:
			faults = append(faults, wrong...)
		default:
			told = append(told, toldFile{f, f.Run()})
		}
	}
	holding, failing := 0, 0
	for _, f := range told {
		for _, result := range f.results {
			if len(result.Problems) > 0 {
				failing++
			} else {
				holding++
			}
		}
	}
	if err := a.printTold(told, failing > 0); err != nil {
		return err
	}
	if err := errors.Join(unreadable...); err != nil {
		return &notFoundError{err.Error()}
	}
	switch {
	case len(faults) > 0:
		return &deed.FaultsError{Faults: faults}
	case failing > 0:
		return fmt.Errorf("%s of %d %s not hold", amount.Of(failing, "specification"), holding+failing, map[bool]string{true: "does", false: "do"}[failing == 1])
	}
	return nil
}

// specPaths lists the files that the arguments stand for: a folder stands for
// those inside that end in .spec.yaml.
func specPaths(args []string) ([]string, error) {
	var paths []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, &notFoundError{fmt.Sprintf("there is no file of specifications: %v", err)}
		}
		if !info.IsDir() {
			paths = append(paths, arg)
			continue
		}
		before := len(paths)
		err = filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && path != arg && strings.HasPrefix(entry.Name(), "."):
				return filepath.SkipDir
			case !entry.IsDir() && strings.HasSuffix(entry.Name(), file.Ending):
				paths = append(paths, path)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("look for specifications: %w", err)
		}
		if len(paths) == before {
			return nil, &notFoundError{fmt.Sprintf("folder %q has no file that ends in %s", arg, file.Ending)}
		}
	}
	return paths, nil
}

type toldFile struct {
	*file.File
	results []file.Result
}

func (f toldFile) feature() specs.Feature {
	feature := specs.Feature{Name: f.Name, About: f.About}
	for _, result := range f.results {
		feature.Specs = append(feature.Specs, result.Spec)
	}
	return feature
}

type toldJSON struct {
	File     string        `json:"file"`
	Line     int           `json:"line"`
	Process  string        `json:"process"`
	Name     string        `json:"name"`
	Text     string        `json:"text,omitempty"`
	Holds    bool          `json:"holds"`
	Problems []problemJSON `json:"problems,omitempty"`
}

type problemJSON struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
}

// printTold prints prose and what does not hold, where it belongs. A page says
// only what is true: markdown is printed when everything holds.
func (a *app) printTold(told []toldFile, failing bool) error {
	switch a.output {
	case "json":
		all := []toldJSON{}
		for _, f := range told {
			for _, r := range f.results {
				one := toldJSON{File: f.Path, Line: r.Line, Process: f.Name, Name: r.Spec.Name, Text: r.Spec.String(), Holds: len(r.Problems) == 0}
				for _, p := range r.Problems {
					one.Problems = append(one.Problems, problemJSON{p.File, p.Line, p.Column, p.Text})
				}
				all = append(all, one)
			}
		}
		return a.printJSON(all)
	case "markdown":
		if failing {
			a.printProblems(told)
			return nil
		}
		var features []specs.Feature
		for _, f := range told {
			features = append(features, f.feature())
		}
		_, err := fmt.Fprint(a.stdout, specs.Markdown("Specifications", "", features...))
		return err
	}
	for i, f := range told {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		fmt.Fprintf(a.stdout, "%s\n%s\n", strings.ToUpper(f.Name), printableLines(f.About))
		for _, r := range f.results {
			fmt.Fprintf(a.stdout, "\n%s", printableLines(r.Spec.String()))
			for _, p := range r.Problems {
				fmt.Fprintf(a.stdout, "\n✗ %s\n", printableLines(strings.TrimRight(p.String(), "\n")))
			}
		}
	}
	return nil
}

func (a *app) printProblems(told []toldFile) {
	for _, f := range told {
		for _, r := range f.results {
			for _, p := range r.Problems {
				fmt.Fprintln(a.stderr, printableLines(strings.TrimRight(p.String(), "\n")))
			}
		}
	}
}
