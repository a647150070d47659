package worker

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
)

// guard kills the programs of a worker that was killed itself, with all that
// they started. The kernel does so on Linux for a program, not for its
// children. It is a shell that reads from a pipe which groups are running; when
// the worker dies, in whatever way, the pipe ends without a word, and it kills
// what is left: the groups it was told of and, where there is a /proc, all that
// carries the mark, since the worker may have died before it told of a group,
// and what left its group is found as well. It starts before the first program.
type guard struct {
	log  *slog.Logger
	mark string // in the environment of every program; unique to the worker

	mu     sync.Mutex
	cmd    *exec.Cmd
	pipe   *os.File
	groups map[int]struct{}
	failed bool // it does not start on this machine: said once
}

const guardScript = `mark=$1
set --
while read -r op group; do
  case $op in
  .) exit ;;
  +) set -- "$@" "$group" ;;
  -) rest=
     for g do [ "$g" = "$group" ] || rest="$rest $g"; done
     set -- $rest ;;
  esac
done
for g do kill -s KILL -- "-$g" 2>/dev/null || :; done
for f in /proc/[0-9]*/environ; do
  grep -qF -- "$mark" "$f" 2>/dev/null || continue
  pid=${f#/proc/}
  kill -s KILL "${pid%/environ}" 2>/dev/null || :
done
`

// variable marks a program by its environment.
func (g *guard) variable() string { return "DEED_GUARD=" + g.mark }

// begin starts the guard if there is none: before a program is.
func (g *guard) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pipe == nil {
		g.start()
	}
}

// watch makes the guard responsible for a process group.
func (g *guard) watch(group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.groups == nil {
		g.groups = map[int]struct{}{}
	}
	g.groups[group] = struct{}{}
	if g.pipe != nil && g.tell("+", group) {
		return
	}
	g.start()
}

// release takes the responsibility away. The caller still holds the number of
// the group.
func (g *guard) release(group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.groups, group)
	if g.pipe != nil {
		g.tell("-", group)
	}
}

func (g *guard) tell(op string, group int) bool {
	_, err := fmt.Fprintf(g.pipe, "%s %d\n", op, group)
	return err == nil
}

// start begins a new guard, in a session of its own where no signal from a
// terminal reaches it.
func (g *guard) start() {
	g.stop()
	err := g.launch()
	if err == nil || g.failed {
		return
	}
	g.failed = true
	g.log.Warn("worker: the guard of programs did not start: should the worker be killed, what its programs started may go on", "error", err)
}

func (g *guard) launch() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	cmd := exec.Command("/bin/sh", "-c", guardScript, "guard", g.variable())
	cmd.Stdin, cmd.Dir, cmd.Env = r, "/", []string{}
	cmd.SysProcAttr = sessionAttributes()
	if err := cmd.Start(); err != nil {
		_ = w.Close()
		return err
	}
	g.cmd, g.pipe = cmd, w
	for group := range g.groups {
		g.tell("+", group)
	}
	return nil
}

// stop ends the guard. No program runs any more.
func (g *guard) stop() {
	if g.cmd == nil {
		return
	}
	_, _ = g.pipe.WriteString(".\n") // a guard that has died hears nothing
	_ = g.pipe.Close()
	_ = g.cmd.Wait()
	g.cmd, g.pipe = nil, nil
}

func (g *guard) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stop()
}
