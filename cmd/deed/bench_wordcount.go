package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed/internal/bench"
	"github.com/deedrun/deed/internal/bench/wordcount"
	"github.com/deedrun/deed/orchestrator/definition"
)

func (a *app) benchWordCount() *cobra.Command {
	var from, made string
	bytes := int64(160e6)
	var workers int
	cmd := &cobra.Command{
		Use:   "wordcount",
		Short: "Count the words of many texts, beside a plain Go program that does the same",
		Long: `Wordcount counts the words of texts in three stages: each text into 16 lists of counts,
the lists of each kind into their sum, all sums into one sorted file. It does so twice,
as a process of deed and as a plain Go program, with as many goroutines as deed has
workers, that calls the same functions and writes the same files; that they are the
same is checked. What is measured begins when the texts are in place and ends with the
last file: how long deed took to open its folder and to import them is reported apart.

The texts are made up, always the same ones: words of a vocabulary of a million, as
frequent as Zipf's law has it, with a long tail. With --in they are the files below a
folder, put together to as many texts.`,
		Example: "  deed bench wordcount --rounds 5\n  deed bench wordcount --in $(go env GOROOT)/src",
	}
	a.benchScenario(cmd, bench.WordCount(), 64, "texts", func(n int) (any, error) {
		if workers < 0 {
			return nil, usagef("--workers %d: give at least 1, or leave it out", workers)
		}
		p := bench.WordCountParams{Texts: filepath.Join(made, "texts"), Result: filepath.Join(made, "result.json"), Workers: workers}
		if err := os.Mkdir(p.Texts, 0o700); err != nil {
			return nil, err
		}
		if from != "" {
			return p, wordcount.Deal(from, p.Texts, n)
		}
		fmt.Fprintf(a.stderr, "making %d texts\n", n)
		return p, wordcount.Generate(p.Texts, n, bytes)
	})
	cmd.Flags().StringVar(&from, "in", "", "`DIR` of files to count instead of texts that are made up")
	cmd.Flags().Func("bytes", "`SIZE` of all texts that are made up (default 160MB)", func(text string) (err error) {
		bytes, err = definition.ParseMemory(text)
		return err
	})
	cmd.Flags().IntVar(&workers, "workers", 0, "tasks at a time (default: one a core)")
	measure := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		dir := cmd.Flag("data").Value.String()
		if dir != "" {
			err = os.MkdirAll(dir, 0o700)
		}
		if err == nil {
			made, err = os.MkdirTemp(dir, "deed-bench-")
		}
		if err != nil {
			return fmt.Errorf("%w: choose another folder with --data", err)
		}
		broken := make(chan os.Signal, 1)
		signal.Notify(broken, syscall.SIGPIPE) // or a reader who has gone would end this before the texts are removed
		defer signal.Stop(broken)
		defer func() { err = errors.Join(err, os.RemoveAll(made)) }()
		return measure(cmd, args)
	}
	return cmd
}
