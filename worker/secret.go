package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/deedrun/deed/task"
)

// Secrets finds what a secret stands for. It is asked anew for every task that
// names it, so that one that is changed holds from the next task on, and its
// errors say where it looked, never what it found. It is called from several
// goroutines.
type Secrets func(ctx context.Context, name string) (value string, err error)

// secretVariables is how the environment variables of a worker begin that hold
// secrets. No program gets to see one under that name.
const secretVariables = "DEED_SECRET_"

// maxSecret bounds a secret: it is kept in memory as long as its task.
const maxSecret = 64 << 10

const readableByAnybody = 0o004

// LocalSecrets finds the secret pg-main in the environment variable
// DEED_SECRET_PG_MAIN of this process, and if that is empty in the file pg-main
// of a directory, without the newline at its end; with dir "" only in the former.
// Files may be links, as those that Kubernetes mounts. One that anybody on the
// machine may read is used, and said once.
func LocalSecrets(dir string, log *slog.Logger) Secrets {
	s := &localSecrets{dir: dir, log: log}
	return s.find
}

type localSecrets struct {
	dir  string
	log  *slog.Logger
	open sync.Map // by path: those that were said to be readable by anybody
}

func (s *localSecrets) find(_ context.Context, name string) (string, error) {
	if !task.ValidSecret(name) {
		return "", fmt.Errorf("%q is no name of a secret", clip(name))
	}
	variable := secretVariable(name)
	if value := os.Getenv(variable); value != "" {
		return value, nil
	}
	if s.dir == "" {
		return "", fmt.Errorf("the variable %s is not set, and no directory of secrets was given (--secrets)", variable)
	}
	path := filepath.Join(s.dir, name)
	value, err := s.read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("the variable %s is not set, and there is no file %s", variable, path)
	case err != nil:
		return "", fmt.Errorf("the variable %s is not set, and the file cannot be used: %w", variable, err)
	}
	return value, nil
}

func (s *localSecrets) read(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular(): // a pipe would be waited for
		return "", fmt.Errorf("%s is no file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxSecret {
		return "", fmt.Errorf("%s is longer than %d KiB", path, maxSecret>>10)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if value == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	if info.Mode().Perm()&readableByAnybody != 0 {
		if _, said := s.open.LoadOrStore(path, true); !said {
			s.log.Warn("worker: anybody on this machine may read a secret: take that right from the file", "file", path)
		}
	}
	return value, nil
}

// secretVariable is the environment variable that stands for a secret.
func secretVariable(name string) string {
	return secretVariables + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
}
