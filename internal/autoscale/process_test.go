//go:build unix

package autoscale

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The test binary can be a worker of the tests, and who starts one.
const role = "AUTOSCALE_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "worker":
		beWorker()
	case "starter":
		beStarter()
	default:
		m.Run() // its result is the exit code
	}
}

func say(text string) { _, _ = os.Stdout.WriteString(text) }

// beWorker leaves when it is told to, or when its input ends: by then nobody reads
// what it says, and it writes that into a file.
func beWorker() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGPIPE)
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	say("at work\n")
	select {
	case <-told:
		say("leaving: told")
	case <-ended:
		_ = os.WriteFile(os.Getenv("AUTOSCALE_TEST_LEFT"), []byte("input ended"), 0o600)
	}
}

// beStarter starts a worker, says so, and waits to be killed.
func beStarter() {
	_ = os.Setenv(role, "worker")
	if _, err := (Command{Path: os.Args[0], Log: os.Stdout}).Start(); err != nil {
		say(err.Error())
		return
	}
	say("started\n")
	select {}
}

// output collects what processes print.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func TestAWorkerLeavesWhenItIsToldToAndItsLinesCarryItsNumber(t *testing.T) {
	t.Setenv(role, "worker")
	var log output
	p, err := Command{Path: os.Args[0], Log: &log}.Start()
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "at work") }, 20*time.Second, time.Millisecond)
	group, err := syscall.Getpgid(p.ID())
	require.NoError(t, err)
	require.Equal(t, p.ID(), group, "an interrupt from the terminal does not reach it")
	require.NoError(t, p.Drain())
	require.NoError(t, p.Wait())
	require.Equal(t, fmt.Sprintf("[%d] at work\n[%[1]d] leaving: told\n", p.ID()), log.String())
}

func TestAWorkerWhoseStarterWasKilledLearnsOfIt(t *testing.T) {
	left := t.TempDir() + "/left"
	starter := exec.CommandContext(t.Context(), os.Args[0])
	starter.Env = append(os.Environ(), role+"=starter", "AUTOSCALE_TEST_LEFT="+left)
	out, err := starter.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, starter.Start())
	for lines, seen := bufio.NewScanner(out), 0; seen < 2 && lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, "started") || strings.HasSuffix(line, "at work") {
			seen++
		}
	}
	require.NoError(t, starter.Process.Kill())
	_ = starter.Wait()
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(left)
		return err == nil && string(text) == "input ended"
	}, 20*time.Second, 5*time.Millisecond)
}

func TestACommandThatIsNotThereIsAnError(t *testing.T) {
	_, err := Command{Path: "/nowhere/deed", Log: io.Discard}.Start()
	require.ErrorContains(t, err, "start a worker: ")
}

func TestALineThatDoesNotEndIsBrokenAndNotKept(t *testing.T) {
	var to bytes.Buffer
	l := &lines{to: &to, prefix: "[7] "}
	for range 3 * longLine / 1024 {
		_, err := l.Write(bytes.Repeat([]byte("x"), 1024))
		require.NoError(t, err)
		require.Less(t, len(l.rest), longLine)
	}
	require.Equal(t, 3, strings.Count(to.String(), "[7] x"))
	_, err := l.Write([]byte("a\n\nb"))
	require.NoError(t, err)
	l.flush()
	require.True(t, strings.HasSuffix(to.String(), "\n[7] a\n[7] \n[7] b\n"))
}
