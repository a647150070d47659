package queue

import (
	"fmt"
	"strings"
)

const (
	maxKey   = 64
	maxTopic = 200
)

// CheckKey refuses a message key other than 1 to 64 of a-z, 0-9 and "-".
// Backends call it before anything leaves: a key is part of an address there.
func CheckKey(key string) error {
	if len(key) > maxKey || !isName(key) {
		return fmt.Errorf("message key %q: write 1 to %d of a-z, 0-9 and \"-\"", clip(key), maxKey)
	}
	return nil
}

// CheckLane refuses the name of a lane that is not one like a key; "" is DefaultLane.
func CheckLane(lane string) error {
	if lane != "" && (len(lane) > maxKey || !isName(lane)) {
		return fmt.Errorf("lane %q: write 1 to %d of a-z, 0-9 and \"-\"", clip(lane), maxKey)
	}
	return nil
}

// Check refuses a message whose key or lane could not be part of an address.
func (m Message) Check() error {
	if err := CheckKey(m.Key); err != nil {
		return err
	}
	return CheckLane(m.Lane)
}

// CheckTopic refuses a topic that is not names of a-z, 0-9 and "-", separated
// by dots, of at most 200 bytes in all.
func CheckTopic(topic string) error {
	ok := len(topic) <= maxTopic
	for name := range strings.SplitSeq(topic, ".") {
		ok = ok && isName(name)
	}
	if !ok {
		return fmt.Errorf("signal topic %q: write names of a-z, 0-9 and \"-\" separated by dots, at most %d bytes", clip(topic), maxTopic)
	}
	return nil
}

func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != ""
}

func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
