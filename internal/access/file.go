package access

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/deedrun/deed/api/wire"
)

// fileName is the name of whoever shows the token of a [File].
const fileName = "admin"

// A token in a file has at least leastToken characters: it may be one that
// somebody made up.
const (
	leastToken = 20
	mostToken  = 4 << 10
)

// FileError is a file whose token is not used, and why.
type FileError struct{ text string }

func (e *FileError) Error() string { return e.text }

func badFile(format string, args ...any) error { return &FileError{fmt.Sprintf(format, args...)} }

// ReadFile reads a token from a file, which others than its owner and his group
// must not be able to read.
func ReadFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", badFile("read the token: %v", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostToken+2))
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr); err != nil {
		return "", badFile("read the token: %v", err)
	}
	token := string(bytes.TrimSpace(data))
	switch {
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0:
		return "", badFile("token file %s can be read by everybody on this machine: chmod 600 %s, and take another token if others may have seen it", path, path)
	case token == "":
		return "", badFile("token file %s is empty", path)
	case len(data) > mostToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", badFile("token file %s does not hold a token: one line of letters, digits and signs, without spaces", path)
	}
	return token, nil
}

// File is an admin whose token is in a file, such as a secret that is mounted:
// the way in while no token has been issued yet. The file is read whenever
// somebody shows a token, so that replacing it replaces the token, and removing
// it takes the token back.
type File struct {
	path string
	log  *slog.Logger

	mu   sync.Mutex
	said string // the fault that was logged last
}

var _ Authenticator = (*File)(nil)

// NewFile is the admin of a file, which has to be in order now. What goes wrong
// with it later is logged; until it is mended nobody is that admin.
func NewFile(path string, log *slog.Logger) (*File, error) {
	f := &File{path: path, log: log}
	_, err := f.read()
	return f, err
}

func (f *File) read() (string, error) {
	token, err := ReadFile(f.path)
	if err == nil && len(token) < leastToken {
		err = badFile("token file %s: its token has %d characters, and needs %d: `openssl rand -hex 32 > %s` makes a good one", f.path, len(token), leastToken, f.path)
	}
	return token, err
}

// Authenticate says whether it is the token of the file.
func (f *File) Authenticate(_ context.Context, token string) (Principal, error) {
	known, err := f.read()
	f.say(err)
	if err != nil || !matches(token, hashOf(known)) {
		return Principal{}, ErrUnknown
	}
	return Principal{Name: fileName, Token: "file", Role: wire.Admin}, nil
}

// say logs a fault of the file once.
func (f *File) say(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	f.mu.Lock()
	changed := text != f.said
	f.said = text
	f.mu.Unlock()
	if changed && err != nil {
		f.log.Error("access: nobody is let in by the token file", "error", err)
	}
}
