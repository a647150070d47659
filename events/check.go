package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	maxStream = 128 // bytes of a stream's name
	maxText   = 256 // bytes of a commit ID, or of an event's type
)

// CheckStream says what is wrong with a stream's name: it is 1 to 128 of
// a-z, 0-9, '.', '_' and '-', beginning with a letter or a digit.
func CheckStream(name string) error {
	if name == "" || len(name) > maxStream || strings.IndexByte("._-", name[0]) >= 0 || checkPrefix(name) != nil {
		return fmt.Errorf("%q is no name for a stream: use 1 to %d of a-z, 0-9, '.', '_' and '-', beginning with a letter or a digit", clip(name), maxStream)
	}
	return nil
}

func checkPrefix(prefix string) error {
	for _, c := range []byte(prefix) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && strings.IndexByte("._-", c) < 0 {
			return fmt.Errorf("%q begins no stream's name: they have only a-z, 0-9, '.', '_' and '-'", clip(prefix))
		}
	}
	return nil
}

// check refuses what some backend could not store or give back unchanged. It
// returns the records as they are stored: without white space around the data.
func check(stream, commitID string, records []Record) ([]Record, error) {
	if err := CheckStream(stream); err != nil {
		return nil, err
	}
	if err := checkText("commit ID", commitID); err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, errors.New("no events given: a commit has at least one")
	}
	out := make([]Record, len(records))
	for i, r := range records {
		if err := checkText("type", r.Type); err != nil {
			return nil, fmt.Errorf("event %d of %d: %w", i+1, len(records), err)
		}
		if !json.Valid(r.Data) {
			return nil, fmt.Errorf("event %d of %d (%q): its data is not JSON: %q", i+1, len(records), r.Type, clip(string(r.Data)))
		}
		r.Data = bytes.TrimSpace(r.Data)
		out[i] = r
	}
	return out, nil
}

func checkText(what, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("the %s is empty", what)
	case len(s) > maxText:
		return fmt.Errorf("the %s %q is longer than %d bytes", what, clip(s), maxText)
	case !utf8.ValidString(s):
		return fmt.Errorf("the %s %q is not UTF-8", what, clip(s))
	}
	return nil
}

func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
