//go:build unix

package worker

import (
	"errors"
	"os"
	"syscall"
)

// pipeBytes is more than a pipe holds: what was in it is read by then, however
// much comes meanwhile.
const pipeBytes = 256 << 10

// drain takes what is in a pipe by now, and does not wait for more.
func drain(f *os.File, take func([]byte)) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, 32<<10)
	for total := 0; total < pipeBytes; {
		n := 0
		err := conn.Read(func(fd uintptr) bool {
			n, err = syscall.Read(int(fd), buf)
			for errors.Is(err, syscall.EINTR) {
				n, err = syscall.Read(int(fd), buf)
			}
			return true // also if there is nothing: else it would wait
		})
		if err != nil || n <= 0 {
			return
		}
		take(buf[:n])
		total += n
	}
}
