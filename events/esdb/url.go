package esdb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

const (
	// serverAppend is how many bytes a server takes in one append unless it is
	// configured otherwise.
	serverAppend = 1 << 20
	mostAppend   = 16 << 20 // what the server can be configured to take
)

// ours are the settings of this package in a URL; theirs are the client's.
var (
	ours   = []string{"maxAppendSize", "streamPrefix"}
	theirs = []string{
		"defaultDeadline", "discoveryInterval", "gossipTimeout", "keepAliveInterval", "keepAliveTimeout", "maxDiscoverAttempts",
		"nodePreference", "tls", "tlsCaFile", "tlsVerifyCert", "userCertFile", "userKeyFile",
	}
)

// settings are what a URL says.
type settings struct {
	leader    dialer // appends and reads
	feed      dialer // subscriptions
	within    time.Duration
	maxAppend int
	prefix    string // of the names of all streams on the server
}

// registry is the name of the stream that lists the streams. No stream of
// events has such a name, nor does one begin with it.
func (s settings) registry() string {
	if s.prefix == "" {
		return "DEED-STREAMS"
	}
	return "DEED-STREAMS:" + s.prefix
}

// parse reads a URL. The client reads most of it, but leaves unknown settings
// and some wrong values unsaid.
func parse(text string) (settings, error) {
	if err := ambiguous(text); err != nil {
		return settings{}, err
	}
	base, query, _ := strings.Cut(text, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return settings{}, errors.New("the URL of EventStoreDB: what follows the ? is no list of settings: write name=value&name=value")
	}
	s := settings{within: 10 * time.Second, maxAppend: serverAppend}
	for given, list := range values {
		name, ours, err := known(given, list)
		if err != nil {
			return settings{}, err
		}
		if err := s.set(name, list[0]); err != nil {
			return settings{}, fmt.Errorf("the URL of EventStoreDB: %w", err)
		}
		if ours {
			delete(values, given)
		}
	}
	if query = values.Encode(); query != "" {
		query = "?" + query
	}
	conf, err := esdb.ParseConnectionString(base + query)
	if err != nil {
		var whole *url.Error // it quotes the URL, and that may hold a password
		if errors.As(err, &whole) {
			err = whole.Err
		}
		var escape url.EscapeError // and so may that
		if errors.As(err, &escape) {
			err = errors.New("a % in it begins no escape; for the character write %25")
		}
		return settings{}, fmt.Errorf("the URL of EventStoreDB: %w: it should look like esdb://user:password@host:2113 or esdb://host:2113?tls=false", err)
	}
	if err := conf.Validate(); err != nil {
		return settings{}, fmt.Errorf("the URL of EventStoreDB: %w", err)
	}
	if conf.UserCertFile != "" {
		if _, err := tls.LoadX509KeyPair(conf.UserCertFile, conf.UserKeyFile); err != nil {
			return settings{}, fmt.Errorf("the URL of EventStoreDB: userCertFile and userKeyFile: %w", err)
		}
	}
	s.connect(*conf)
	return s, nil
}

// ambiguous refuses a URL of which a part of the password would be read as
// something else, and so be said in errors, or be connected to.
func ambiguous(text string) error {
	_, rest, _ := strings.Cut(text, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 && strings.Contains(rest[end:], "@") {
		return errors.New("the URL of EventStoreDB: an @ follows a /, ? or #: in a user or password write %2F, %3F and %23 for these, and in a setting %40 for the @")
	}
	return nil
}

// known finds the setting that is meant, as the client does: in any case.
func known(given string, list []string) (name string, own bool, err error) {
	fits := func(name string) bool { return strings.EqualFold(name, given) }
	switch i := slices.IndexFunc(slices.Concat(ours, theirs), fits); {
	case i < 0:
		return "", false, fmt.Errorf("the URL of EventStoreDB: unknown setting %q: known are %s", given, strings.Join(slices.Concat(theirs, ours), ", "))
	case len(list) > 1:
		return "", false, fmt.Errorf("the URL of EventStoreDB: setting %q is given %d times", given, len(list))
	default:
		return slices.Concat(ours, theirs)[i], i < len(ours), nil
	}
}

var prefixes = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func (s *settings) set(name, value string) error {
	switch name {
	case "streamPrefix":
		if !prefixes.MatchString(value) {
			return fmt.Errorf("streamPrefix %q: use 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or a digit", value)
		}
		s.prefix = value
	case "maxAppendSize":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > mostAppend {
			return fmt.Errorf("maxAppendSize %q: give the server's limit for an append in bytes, at most %d", value, mostAppend)
		}
		s.maxAppend = n
	case "defaultDeadline": // the client takes a wrong one for 0
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return fmt.Errorf("defaultDeadline %q: give milliseconds", value)
		}
		s.within = time.Duration(n) * time.Millisecond
	}
	return nil
}

// connect derives who is connected to for what.
func (s *settings) connect(conf esdb.Configuration) {
	s.leader = dialer{attempts: max(1, conf.MaxDiscoverAttempts), interval: time.Duration(max(1, conf.DiscoveryInterval)) * time.Millisecond}
	// A client that failed once to discover a node is dead. So it gets one
	// attempt, and the next attempt is another client's.
	conf.MaxDiscoverAttempts, conf.DiscoveryInterval = 1, 0
	conf.Logger = nil
	s.feed = s.leader
	preferred := conf
	s.feed.conf = &preferred
	conf.NodePreference = esdb.NodePreferenceLeader
	s.leader.conf = &conf
}

// address is who is connected to, without the password.
func (s settings) address() string {
	conf := s.leader.conf
	if len(conf.GossipSeeds) == 0 {
		return conf.Address
	}
	var seeds []string
	for _, seed := range conf.GossipSeeds {
		seeds = append(seeds, seed.String())
	}
	return strings.Join(seeds, ",")
}

// logTo passes on what the client logs. It calls most of it an error, and all
// of it comes back as one where it matters: so it is for those who look for it.
func (s settings) logTo(log *slog.Logger) {
	write := func(level esdb.LogLevel, format string, args ...any) {
		if log.Enabled(context.Background(), slog.LevelDebug) {
			log.Debug("eventstoredb client", "level", level, "says", fmt.Sprintf(format, args...))
		}
	}
	s.leader.conf.Logger, s.feed.conf.Logger = write, write
	if conf := s.leader.conf; conf.DisableTLS && conf.Username != "" {
		log.Warn("eventstoredb: the URL has a user, but without TLS the client sends none", "address", s.address())
	}
}
