package main

import (
	"os"
	"strings"
)

// again is this command line, with the ID of the process if there is one.
func again(id string) string {
	words := []string{program()}
	skip := false
	for _, arg := range os.Args[1:] {
		switch {
		case skip:
			skip = false
			continue
		case arg == "--id":
			skip = true
			continue
		case strings.HasPrefix(arg, "--id="):
			continue
		}
		words = append(words, quote(arg))
	}
	if id != "" {
		words = append(words, "--id", id)
	}
	return strings.Join(words, " ")
}

// commandLine is how a person calls a command on the same data.
func (a *app) commandLine(words ...string) string {
	line := program()
	for _, w := range words {
		line += " " + quote(w)
	}
	if a.data != defaultData {
		line += " --data " + quote(a.data)
	}
	return line
}

// program is how a person calls this binary.
func program() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/deed"
	}
	return quote(os.Args[0])
}

func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:@%+") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
