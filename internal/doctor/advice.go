package doctor

import (
	"cmp"
	"strings"
)

// advised fills in how advice is written: command lines that say where they are
// about, as far as that is no secret.
func (e *Examination) advised() {
	program := cmp.Or(e.Program, "deed")
	line := func(words, where []string) string {
		return strings.Join(append(append([]string{program}, words...), where...), " ")
	}
	var asks, role []string
	switch {
	case e.Dir != "":
		asks = []string{"--data", shellWord(e.Dir)}
		role = asks
		if e.Events != "" {
			role = append(role[:2:2], "--events", urlWord(e.Events, "DEED_EVENTS"))
		}
	case e.Server != "":
		asks = []string{"--server", "URL"}
		role = []string{"--nats", urlWord(e.Server, "DEED_NATS"), "--blobs", urlWord(e.Blobs, "DEED_BLOBS")}
		if e.Events != "" {
			role = append(role, "--events", urlWord(e.Events, "DEED_EVENTS"))
		}
		for _, file := range []struct{ flag, name string }{{"--nats-nkey", e.NATS.NKeyFile}, {"--nats-creds", e.NATS.CredsFile}, {"--nats-ca", e.NATS.CAFile}} {
			if file.name != "" {
				role = append(role, file.flag, shellWord(file.name))
			}
		}
	}
	if e.Ask == nil {
		e.Ask = func(words ...string) string { return line(words, asks) }
	}
	e.role = func(words ...string) string {
		if e.Server != "" && len(words) > 0 && words[0] == "up" {
			words = append([]string{"serve"}, words[1:]...)
		}
		return line(words, role)
	}
}

// urlWord is a URL in a command line, or, if it may hold a password, the variable
// that does.
func urlWord(url, variable string) string {
	if strings.Contains(url, "@") {
		return `"$` + variable + `"`
	}
	return shellWord(url)
}

// shellWord is a word as a shell reads it.
func shellWord(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:@%+"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
