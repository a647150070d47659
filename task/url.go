package task

import (
	"fmt"
	"slices"
	"strings"
)

// maxURL is how many bytes the URL of an object elsewhere may have.
const maxURL = 4 << 10

// parameters are those that a URL may have: they say where a bucket is, and
// nothing that gives access to it. Credentials are up to who reads.
var parameters = strings.Fields(`accelerate anonymous cdn disable_https domain dualstack endpoint fips
	hostname_immutable localemu protocol region storage_account use_path_style`)

// CheckURL says why a text is no URL of an object elsewhere, or not one that may
// stand in a history: scheme://bucket/path, percent-encoded, without "." and ".."
// in its path, with parameters that tell no secret, and with neither user nor
// fragment. Whether it may be read is up to who reads it.
func CheckURL(text string) error {
	if len(text) > maxURL {
		return fmt.Errorf("a URL has %d bytes, at most %d are allowed", len(text), maxURL)
	}
	if reason := badURL(text); reason != "" {
		return fmt.Errorf("the URL %q: %s", clip([]byte(withoutUser(text))), reason)
	}
	return nil
}

func badURL(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || scheme == "" || strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+.-") != "" {
		return "it has no scheme; write it like s3://bucket/folder/file"
	}
	for _, c := range text {
		if c <= ' ' || c >= 0x7f || strings.ContainsRune("\"<>\\^`{|}#", c) {
			return fmt.Sprintf("the character %q has to be percent-encoded", c)
		}
	}
	location, query, _ := strings.Cut(rest, "?")
	bucket, path, _ := strings.Cut(location, "/")
	if strings.Contains(bucket, "@") {
		return "it names a user; credentials belong into the environment of who reads it"
	}
	for segment := range strings.SplitSeq(path, "/") {
		plain, ok := unescape(segment)
		switch {
		case !ok:
			return "a percent sign stands before two hexadecimal digits; itself it is written %25"
		case plain == "." || plain == ".." || strings.Contains(plain, "/"):
			return fmt.Sprintf("the segment %q is not allowed", segment)
		case strings.ContainsFunc(plain, func(c rune) bool { return c < ' ' || c == 0x7f }):
			return "control characters are not allowed"
		}
	}
	return badQuery(query)
}

func badQuery(query string) string {
	if query == "" {
		return ""
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if !slices.Contains(parameters, name) {
			return fmt.Sprintf("the parameter %q is not allowed; it takes %s, and credentials belong into the environment of who reads it",
				clip([]byte(name)), strings.Join(parameters, ", "))
		}
		if plain, ok := unescape(value); !ok || strings.Contains(plain, "@") {
			return fmt.Sprintf("the parameter %s has a value that is not allowed", name)
		}
	}
	return ""
}

// unescape takes percent signs for what they stand for; not ok: they stand for nothing.
func unescape(s string) (plain string, ok bool) {
	if !strings.Contains(s, "%") {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) || digit(s[i+1]) < 0 || digit(s[i+2]) < 0 {
			return "", false
		}
		b.WriteByte(byte(digit(s[i+1])<<4 | digit(s[i+2])))
		i += 2
	}
	return b.String(), true
}

func digit(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20) }

// withoutUser keeps the password of a URL out of an error message.
func withoutUser(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	i := strings.LastIndex(rest, "@")
	if !ok || i < 0 {
		return text
	}
	return scheme + "://…" + rest[i:]
}
