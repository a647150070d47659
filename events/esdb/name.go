package esdb

import (
	"fmt"
	"slices"
	"strings"
)

// Name is where the events of a URL are, for people and for comparing: scheme,
// hosts and the prefix of the streams. It has neither user nor password.
func Name(url string) (string, error) {
	s, err := parse(url)
	if err != nil {
		return "", fmt.Errorf("open event store: %w", err)
	}
	scheme := "esdb://"
	if s.leader.conf.DnsDiscover {
		scheme = "esdb+discover://"
	}
	hosts := strings.Split(strings.ToLower(s.address()), ",")
	slices.Sort(hosts)
	name := scheme + strings.Join(hosts, ",")
	if s.prefix != "" {
		name += "?streamPrefix=" + s.prefix
	}
	return name, nil
}
