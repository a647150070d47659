package blob

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/deedrun/deed/task"
)

const (
	maxKey     = 1024 // what S3 and GCS accept
	maxSegment = 200  // a file name of 255 bytes, less what a temporary file appends
)

// CheckKey says why a key cannot name a blob. The rule is the same for every
// backend, so that what runs on a laptop runs in a cloud, and no key leads out
// of a directory: at most 1,024 bytes of UTF-8 without control characters, in
// segments between slashes of 1 to 200 bytes that are neither "." nor "..",
// without "__0x" and not ending in ".attrs", which stores of files use. Names
// that people choose belong in a part's Name, not in a key.
func CheckKey(key string) error {
	if reason := badKey(key); reason != "" {
		return fmt.Errorf("blob key %q: %s", clip(key), reason)
	}
	return nil
}

func badKey(key string) string {
	switch {
	case key == "":
		return "it is empty"
	case len(key) > maxKey:
		return fmt.Sprintf("it has %d bytes, at most %d are allowed", len(key), maxKey)
	case !utf8.ValidString(key):
		return "it is not valid UTF-8"
	case strings.ContainsFunc(key, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return "control characters are not allowed"
	case strings.HasSuffix(key, ".attrs"):
		return `the ending ".attrs" is reserved`
	case strings.Contains(key, "__0x"):
		return `"__0x" is reserved: stores of files escape characters with it`
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch {
		case segment == "":
			return "an empty segment between slashes is not allowed"
		case segment == "." || segment == "..":
			return fmt.Sprintf("the segment %q is not allowed", segment)
		case len(segment) > maxSegment:
			return fmt.Sprintf("a segment has %d bytes, at most %d are allowed", len(segment), maxSegment)
		}
	}
	return ""
}

// checkRef guards against references that came over the wire. What only a part may
// refer to, an object elsewhere, is none here.
func checkRef(ref task.Ref) error {
	if ref.Elsewhere() {
		return fmt.Errorf("reference to %q: it has to be in the blob store: only parts of data may lie elsewhere", clip(ref.URL))
	}
	if err := CheckKey(ref.Key); err != nil {
		return err
	}
	if ref.Size < 0 {
		return fmt.Errorf("reference to blob %q: the size %d is negative", ref.Key, ref.Size)
	}
	return checkSHA256(ref.Key, ref.SHA256)
}

func checkSHA256(key, sum string) error {
	if b, err := hex.DecodeString(sum); err != nil || len(b) != 32 || strings.ToLower(sum) != sum {
		return fmt.Errorf("reference to blob %q: %q is no SHA-256 of 64 lower-case hexadecimal digits", key, clip(sum))
	}
	return nil
}

// checkPart says why a part cannot be stored or read: it holds neither a blob
// nor a value, or both, or text that JSON would alter.
func checkPart(p task.Part) error {
	switch {
	case !utf8.ValidString(p.Key):
		return fmt.Errorf("part %q: the key is not valid UTF-8", clip(p.Key))
	case !utf8.ValidString(p.Name):
		return fmt.Errorf("part %q: the name is not valid UTF-8", clip(p.Name))
	case p.Ref != nil && len(p.Value) > 0:
		return fmt.Errorf("part %q: it has both a blob and an inline value", clip(p.Name))
	case p.Ref != nil && p.Ref.Elsewhere():
		return checkElsewhere(*p.Ref)
	case p.Ref != nil:
		return checkRef(*p.Ref)
	case len(p.Value) == 0:
		return fmt.Errorf("part %q: it has neither a blob nor an inline value", clip(p.Name))
	}
	return nil
}

// clip keeps a hostile or huge text out of an error message.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
