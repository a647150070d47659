// Command generate makes access logs of two web servers that look real and are not:
// nobody publishes the logs of people. The same seed gives the same lines.
//
//	go run ./examples/logs/generate examples/logs/sample
//	go run ./examples/logs/generate -visitors 20000 -days 30 /tmp/logs
package main

import (
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	seed := flag.Uint64("seed", 7, "of all that is random")
	days := flag.Int("days", 7, "from 2026-11-09 on")
	visitors := flag.Int("visitors", 350, "who come by, some of them often")
	flag.Parse()
	if flag.NArg() != 1 || *days < 1 || *visitors < 1 {
		log.Fatal("generate: name the folder to write to, and at least a day and a visitor")
	}
	if err := write(flag.Arg(0), newWorld(*seed, *days, *visitors).logs()); err != nil {
		log.Fatal(err)
	}
}

// write writes the lines of each server and day to a file of its own, as servers
// that rotate their logs at midnight do.
func write(dir string, lines []line) error {
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	files := map[string]*strings.Builder{}
	for _, l := range lines {
		name := filepath.Join(l.server, "access-"+l.at.Format(time.DateOnly)+".log.gz")
		if files[name] == nil {
			files[name] = &strings.Builder{}
		}
		files[name].WriteString(l.text + "\n")
	}
	for name, text := range files {
		if err := compress(filepath.Join(dir, name), text.String()); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

func compress(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	w, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	_, err = w.Write([]byte(text))
	return errors.Join(err, w.Close(), file.Close())
}
