package visits

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Request is what a line of a log says.
type Request struct {
	Visitor  string
	Robot    bool // says of itself that it is one
	Time     time.Time
	Method   string
	Path     string // without what follows the question mark
	Status   int
	Bytes    int64
	Referrer string // the host that linked here; "" if none, or this one
}

// logTime is how a log writes a time.
const logTime = "02/Jan/2006:15:04:05 -0700"

// ParseRequest reads a line in the combined format:
//
//	192.0.2.7 - - [14/Nov/2026:06:25:24 +0000] "GET /a?b HTTP/1.1" 200 5316 "https://from.example/" "Mozilla/5.0 …"
//
// Links from hosts that are called own are no referrers.
func ParseRequest(line, own string) (r Request, err error) {
	host, rest, _ := strings.Cut(line, " ")
	_, rest, began := strings.Cut(rest, "[")
	when, rest, ended := strings.Cut(rest, "] ")
	if host == "" || !began || !ended {
		return r, errors.New("there is no time in brackets")
	}
	if r.Time, err = time.Parse(logTime, when); err != nil {
		return r, fmt.Errorf("the time is %q", when)
	}
	asked, rest, ok := quoted(rest)
	if !ok {
		return r, errors.New("the request has no end")
	}
	numbers, rest, ok := strings.Cut(strings.TrimPrefix(rest, " "), ` "`)
	if !ok {
		return r, errors.New("there is no referrer")
	}
	link, rest, ok := quoted(`"` + rest)
	if !ok {
		return r, errors.New("the referrer has no end")
	}
	agent, _, ok := quoted(strings.TrimPrefix(rest, " "))
	if !ok {
		return r, errors.New("the browser has no end")
	}
	if err := r.answer(numbers); err != nil {
		return r, err
	}
	method, target, ok := strings.Cut(asked, " ")
	target, _, hasProtocol := strings.Cut(target, " ")
	if !ok || !hasProtocol || !strings.HasPrefix(target, "/") {
		return r, fmt.Errorf("the request is %q", asked)
	}
	r.Method = method
	r.Path, _, _ = strings.Cut(target, "?")
	if from, err := url.Parse(link); err == nil && from.Hostname() != own {
		r.Referrer = from.Hostname()
	}
	r.Robot = strings.Contains(strings.ToLower(agent), "bot")
	digest := sha256.Sum256([]byte(host + "\n" + agent))
	r.Visitor = hex.EncodeToString(digest[:6])
	return r, nil
}

// answer reads the status and how many bytes were sent; "-" are none.
func (r *Request) answer(numbers string) (err error) {
	status, size, _ := strings.Cut(numbers, " ")
	if r.Status, err = strconv.Atoi(status); err != nil || r.Status < 100 || r.Status > 599 {
		return fmt.Errorf("the status is %q", status)
	}
	if size == "-" {
		return nil
	}
	if r.Bytes, err = strconv.ParseInt(size, 10, 64); err != nil || r.Bytes < 0 {
		return fmt.Errorf("the size is %q", size)
	}
	return nil
}

// quoted reads a text in quotes, in which a backslash makes the next character an
// ordinary one, and leaves what follows it.
func quoted(text string) (inside, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", text, false
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[1:i], text[i+1:], true
		}
	}
	return "", text, false
}

// IsPage reports whether the request showed somebody a page.
func (r Request) IsPage() bool {
	return r.Method == http.MethodGet && (r.Status == 200 || r.Status == 304) && !strings.HasPrefix(r.Path, "/static/")
}
