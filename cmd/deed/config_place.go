package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// check refuses what could not be a place, before it is kept under a name.
func (p place) check() error {
	switch {
	case p == place{}:
		return usagef("where is it? Give --server URL, --data DIR, or --nats URL with --blobs URL")
	case p.Server != "" && p.Data != "":
		return usagef("--server and --data: a context is one of them; make two")
	case p.Data != "" && p.Nats != "":
		return usagef("--data and --nats: a folder has its own server; make two contexts")
	case (p.Nats == "") != (p.Blobs == ""):
		return usagef("--nats and --blobs belong together: give both")
	case p.Events != "" && p.Data == "" && p.Nats == "":
		return usagef("--events belongs to --data or --nats: a server knows where its events are")
	case p.Server == "" && (p.TokenFile != "" || p.CAFile != ""):
		return usagef("--token-file and --ca-file belong to --server: give that, too")
	case p.Nats == "" && (p.NatsNkey != "" || p.NatsCreds != "" || p.NatsCA != ""):
		return usagef("--nats-nkey, --nats-creds and --nats-ca belong to --nats: give that, too")
	case p.NatsNkey != "" && p.NatsCreds != "":
		return usagef("--nats-nkey and --nats-creds are two ways to say who a role is: give one")
	case p.Server != "":
		return checkServer(p.Server)
	}
	return nil
}

// absolute is the place seen from any directory.
func (p place) absolute() (place, error) {
	for _, path := range []*string{&p.Data, &p.TokenFile, &p.CAFile, &p.NatsNkey, &p.NatsCreds, &p.NatsCA} {
		if *path == "" {
			continue
		}
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return p, err
		}
	}
	return p, nil
}

// checkServer says of a --server what is wrong with it.
func checkServer(server string) error {
	u, err := url.Parse(server)
	switch {
	case err != nil || u.Host == "":
		return usagef("--server %q is no address: give one such as http://127.0.0.1:8420", hidden(server))
	case u.Scheme == "nats":
		return usagef("--server %q is a NATS server, which speaks with roles: give the address of `deed serve` or `deed up`, such as http://127.0.0.1:8420", hidden(server))
	case u.User != nil:
		return usagef("--server %q: it asks for no user and no password; leave them out", hidden(server))
	case u.Scheme != "http" && u.Scheme != "https":
		return usagef("--server %q: its scheme is http or https", hidden(server))
	}
	return nil
}

var contextName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func checkContextName(name string) error {
	if !contextName.MatchString(name) {
		return usagef("%q is no name for a context: take letters, digits, dots, underscores and hyphens", name)
	}
	return nil
}

// secretWords mark parameters of a URL that are not shown.
var secretWords = []string{"secret", "password", "token", "key", "sig", "credential"}

// hidden is a URL as others may see it: without who asks and his password,
// which of a NATS URL may be a token. Of a list of URLs with several users only
// the last host is shown.
func hidden(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		scheme, rest = "", address
	} else {
		scheme += "://"
	}
	rest, query, asks := strings.Cut(rest, "?")
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = "…" + rest[at:]
	}
	if !asks {
		return scheme + rest
	}
	params := strings.Split(query, "&")
	for i, param := range params {
		name, _, _ := strings.Cut(param, "=")
		for _, word := range secretWords {
			if strings.Contains(strings.ToLower(name), word) {
				params[i] = name + "=…"
			}
		}
	}
	return scheme + rest + "?" + strings.Join(params, "&")
}

// String is the place on one line, for people: what is secret in it is hidden.
func (p place) String() string {
	var words []string
	for _, s := range p.settings() {
		words = append(words, fmt.Sprintf("--%s %s", s.name, shownSetting(s)))
	}
	return strings.Join(words, " ")
}

// hidden is the place with nothing secret in it.
func (p place) hidden() place {
	p.Server, p.Nats, p.Blobs, p.Events = hidden(p.Server), hidden(p.Nats), hidden(p.Blobs), hidden(p.Events)
	return p
}

func shownSetting(s setting) string {
	switch s.name {
	case "data", "token-file", "ca-file", "nats-nkey", "nats-creds", "nats-ca":
		return s.value
	}
	return hidden(s.value)
}
