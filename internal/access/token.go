package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/deedrun/deed/api/wire"
)

// Token is what is known of a token: never its secret.
type Token struct {
	wire.TokenInfo
	hash [sha256.Size]byte // of the whole token
}

// principal is who shows it.
func (t Token) principal() Principal {
	return Principal{Name: t.Name, Token: t.ID, Role: t.Role, Processes: t.Processes}
}

const (
	form         = "deed_"
	idBytes      = 5
	secretBytes  = 32
	mostPatterns = 64
	mostPattern  = 256
)

// letters write what is random: lower case, without what looks alike.
var letters = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// draw is a new token: deed_ID_SECRET.
func draw() (id, token string) {
	random := make([]byte, idBytes+secretBytes)
	_, _ = rand.Read(random) // it never fails
	id = letters.EncodeToString(random[:idBytes])
	return id, form + id + "_" + letters.EncodeToString(random[idBytes:])
}

// idOf is the ID in a token of this form.
func idOf(token string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(token, form)
	if !ok {
		return "", false
	}
	id, secret, ok := strings.Cut(rest, "_")
	return id, ok && id != "" && secret != ""
}

func hashOf(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

// matches compares in a time that says nothing about where they differ.
func matches(token string, hash [sha256.Size]byte) bool {
	sum := hashOf(token)
	return subtle.ConstantTimeCompare(sum[:], hash[:]) == 1
}

func parseHash(text string) (hash [sha256.Size]byte, err error) {
	data, err := hex.DecodeString(text)
	if err != nil || len(data) != len(hash) {
		return hash, fmt.Errorf("its hash is no SHA-256")
	}
	return [sha256.Size]byte(data), nil
}

// Issue is what a token is asked for.
type Issue struct {
	Name      string
	Role      wire.Role
	Processes []string  // nil: for all
	Expires   time.Time // zero: never
	By        string
}

// InvalidError is a token that cannot be issued as it was asked for.
type InvalidError struct{ text string }

func (e *InvalidError) Error() string { return e.text }

func invalid(format string, args ...any) error { return &InvalidError{fmt.Sprintf(format, args...)} }

var tokenName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$`)

func (i Issue) check(now time.Time) error {
	switch {
	case !tokenName.MatchString(i.Name):
		return invalid("%q is no name for a token: take letters, digits, dots, underscores, hyphens and @, 63 at most", i.Name)
	case i.Name == fileName:
		return invalid("%q is the name of whoever shows the token of the file that a server was started with: take another", i.Name)
	case !i.Role.Known():
		return invalid("role %q: give %s, %s or %s", i.Role, wire.Viewer, wire.Operator, wire.Admin)
	case !i.Expires.IsZero() && !now.Before(i.Expires):
		return invalid("the token would have expired at %s already", i.Expires.UTC().Format(time.RFC3339))
	case i.Processes != nil && len(i.Processes) == 0 || len(i.Processes) > mostPatterns:
		return invalid("%d patterns of processes: give 1 to %d, or leave them out, which means all", len(i.Processes), mostPatterns)
	}
	for _, pattern := range i.Processes {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" || len(pattern) > mostPattern {
			return invalid("%q is no pattern of names of definitions: write one such as team-a-*", pattern)
		}
	}
	return nil
}
