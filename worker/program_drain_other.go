//go:build !unix

package worker

import (
	"os"
	"time"
)

// drain takes what is in a pipe by now, and does not wait for more than a moment.
func drain(f *os.File, take func([]byte)) {
	_ = f.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
	defer func() { _ = f.SetReadDeadline(time.Time{}) }()
	buf := make([]byte, 32<<10)
	for {
		n, err := f.Read(buf)
		take(buf[:n])
		if err != nil {
			return
		}
	}
}
