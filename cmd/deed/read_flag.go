package main

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/deedrun/deed/blob"
)

// readFlag says where data may be read that was not stored.
func readFlag(flags *pflag.FlagSet, read *[]string) {
	flags.Var((*places)(read), "read", "`URL` of a folder, in a bucket or of files: data that lies there may be read; may be repeated (default: what is given here as an input)")
}

// places are URLs of what may be read, checked as they are given.
type places []string

func (p *places) Type() string       { return "URL" }
func (p *places) String() string     { return strings.Join(*p, ",") }
func (p *places) GetSlice() []string { return *p }

func (p *places) Set(text string) error { return p.Append(text) }

func (p *places) Append(text string) error {
	if err := blob.CheckPlace(text); err != nil {
		return err
	}
	*p = append(*p, text)
	return nil
}

func (p *places) Replace(texts []string) error {
	*p = nil
	for _, text := range texts {
		if err := p.Append(text); err != nil {
			return err
		}
	}
	return nil
}
