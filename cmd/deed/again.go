package main

import (
	"os"
	"strings"
)

// again is this command line, with the ID of the process if there is one.
func again(id string) string {
	words := []string{program()}
	skip, events := false, false
	for _, arg := range os.Args[1:] {
		url, joined := strings.CutPrefix(arg, "--events=")
		switch {
		case skip:
			skip = false
			continue
		case events, joined:
			events = false
			words = append(words, eventsArgs(url)...)
			continue
		case arg == "--events":
			events = true
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
	return strings.Join(append([]string{line}, eventsArgs(a.events)...), " ")
}

// eventsArgs are the flag for an event store. A URL with a user is not repeated,
// since it may hold a password.
func eventsArgs(url string) []string {
	switch {
	case url == "":
		return nil
	case strings.Contains(url, "@"):
		return []string{"--events", `"$` + eventsVariable + `"`}
	}
	return []string{"--events", quote(url)}
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
