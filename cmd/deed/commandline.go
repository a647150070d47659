package main

import (
	"os"
	"strings"
)

// thisCommand is this command line, with the ID of the process if there is one.
func thisCommand(id string) string {
	words := []string{program()}
	for args := os.Args[1:]; len(args) > 0; args = args[1:] {
		flag, value, joined := strings.Cut(args[0], "=")
		switch {
		case flag != "--id" && flag != "--events" && flag != "--server":
			words = append(words, quote(args[0]))
			continue
		case !joined && len(args) > 1:
			args = args[1:]
			value = args[0]
		}
		if flag != "--id" {
			words = append(words, urlArgs(strings.TrimPrefix(flag, "--"), value)...)
		}
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
	words = []string{line}
	for _, s := range []setting{{"server", a.server}, {"token-file", a.lock.tokenFile}, {"ca-file", a.lock.caFile}, {"data", a.data}, {"context", a.context}, {"events", a.events}} {
		if a.source[s.name] == fromLine { // what says the rest says it again
			words = append(words, urlArgs(s.name, s.value)...)
		}
	}
	return strings.Join(words, " ")
}

// urlArgs are a flag that says where something is. A URL with a user is not
// repeated, since it may hold a password.
func urlArgs(flag, url string) []string {
	if strings.Contains(url, "://") && strings.Contains(url, "@") {
		return []string{"--" + flag, `"$` + variableOf(flag) + `"`}
	}
	return []string{"--" + flag, quote(url)}
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
