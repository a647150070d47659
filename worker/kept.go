package worker

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/deedrun/deed/task"
)

// keptPrograms are the programs of a worker that stay alive between tasks: one a
// slot at most, those of which nobody needs anything included. Each serves the
// tasks of one process, with those of its children, and never another's: what it
// remembers of one must not come to light in the next.
type keptPrograms struct {
	tools    *tools
	most     int
	patience time.Duration // with one that has nothing to do

	mu     sync.Mutex
	idle   []*kept // the one used last at the end
	busy   int
	closed bool
	ending sync.WaitGroup
}

// kept is a program that is fed one task after the other.
type kept struct {
	*launched

	key   string
	dir   string // its working directory and its own $TMPDIR
	lines *bufio.Reader
	needs task.Resources
	tasks int // that it was given

	since time.Time   // it has nothing to do
	bored *time.Timer // ends it then; nil: it never had nothing to do
}

// keptKey is what programs have to agree in to be one: all that they were started with.
func (t *Task) keptKey() (string, error) {
	process := t.work.Root
	if process == "" {
		process = t.work.Process
	}
	type file struct{ Name, SHA256 string }
	var files []file
	for _, f := range t.work.Files {
		files = append(files, file{f.Name, f.Ref.SHA256})
	}
	text, err := json.Marshal([]any{process, t.work.Run, files, t.variables, t.work.Limits})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text) // there are secrets in it
	return hex.EncodeToString(sum[:]), nil
}

// take is a program for a task: one that waits, or a new one.
func (k *keptPrograms) take(ctx context.Context, t *Task) (*kept, error) {
	key, err := t.keptKey()
	if err != nil {
		return nil, fmt.Errorf("keep a program alive: %w", err)
	}
	p, drop := k.find(key)
	k.finish(drop...)
	k.makeRoom(t.work.Needs)
	if p == nil {
		if p, err = t.startKept(ctx, key); err != nil {
			k.leave()
			return nil, err
		}
	}
	p.tasks++
	p.needs = t.work.Needs
	if err := p.allow(t.work.Limits); err != nil {
		k.discard(p)
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	return p, nil
}

// find takes the program that was used last of those that fit. With none there
// has to be a place for a new one: drop are those that lose theirs.
func (k *keptPrograms) find(key string) (p *kept, drop []*kept) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy++
	for i := len(k.idle) - 1; i >= 0 && p == nil; i-- {
		if found := k.idle[i]; found.key == key {
			k.idle = slices.Delete(k.idle, i, i+1)
			if ended(found.over) { // while nobody looked
				drop = append(drop, found)
			} else {
				p = found
			}
		}
	}
	for len(k.idle) > 0 && len(k.idle)+k.busy > k.most {
		drop = append(drop, k.idle[0])
		k.idle = slices.Delete(k.idle, 0, 1)
	}
	return p, drop
}

// leave notes that a task has no program any more.
func (k *keptPrograms) leave() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy--
}

// give takes a program back that is sound.
func (k *keptPrograms) give(p *kept) {
	k.mu.Lock()
	k.busy--
	closed := k.closed
	if !closed {
		p.since = time.Now()
		k.idle = append(k.idle, p)
		if p.bored == nil {
			p.bored = time.AfterFunc(k.patience, func() { k.retire(p) })
		} else { // one timer for all tasks: there may be thousands a second
			p.bored.Reset(k.patience)
		}
	}
	k.mu.Unlock()
	if closed { // by a worker that had abandoned the task
		p.finish()
	}
}

// discard gives up a program that is over, or of no use any more.
func (k *keptPrograms) discard(p *kept) {
	k.leave()
	p.kill()
	p.clean()
}

// retire ends a program that has had nothing to do for too long. It may have
// been used just now: then another call follows.
func (k *keptPrograms) retire(p *kept) {
	k.mu.Lock()
	i := slices.Index(k.idle, p)
	if i < 0 || time.Since(p.since) < k.patience || k.closed {
		k.mu.Unlock()
		return
	}
	k.idle = slices.Delete(k.idle, i, i+1)
	k.ending.Add(1)
	k.mu.Unlock()
	defer k.ending.Done()
	p.finish()
}

// makeRoom ends programs that wait, as long as what they needed for their last
// task does not fit beside what is executed: a device, say, that they may hold.
func (k *keptPrograms) makeRoom(needs task.Resources) {
	if needs.IsZero() {
		return
	}
	free := k.tools.free()
	k.mu.Lock()
	var drop []*kept
	for {
		var held task.Resources
		oldest := -1
		for i, p := range k.idle {
			if held = held.Plus(p.needs); oldest < 0 && !p.needs.IsZero() {
				oldest = i
			}
		}
		if oldest < 0 || held.Fit(free) {
			break
		}
		drop = append(drop, k.idle[oldest])
		k.idle = slices.Delete(k.idle, oldest, oldest+1)
	}
	k.mu.Unlock()
	k.finish(drop...)
}

func (k *keptPrograms) finish(programs ...*kept) {
	var all sync.WaitGroup
	for _, p := range programs {
		all.Go(p.finish)
	}
	all.Wait()
}

// close ends all of them. No task runs any more.
func (k *keptPrograms) close() {
	k.mu.Lock()
	k.closed = true
	idle := k.idle
	k.idle = nil
	k.mu.Unlock()
	k.finish(idle...)
	k.ending.Wait()
}

// startKept starts a program that knows nothing of any task yet.
func (t *Task) startKept(ctx context.Context, key string) (p *kept, err error) {
	dir, err := os.MkdirTemp(t.temp, "deed-kept-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the program: %w", err)
	}
	made := &kept{key: key, dir: dir}
	defer func() {
		if err != nil {
			made.remove(t.tools)
		}
	}()
	ws := &Workspace{Dir: dir, Work: filepath.Join(dir, "work"), Temp: filepath.Join(dir, "tmp")}
	for _, name := range []string{ws.Work, ws.Temp} {
		if err := os.Mkdir(name, 0o700); err != nil {
			return nil, fmt.Errorf("make a directory for the program: %w", err)
		}
	}
	env := t.surroundings(ws.Temp)
	env.set("DEED_KEEP", "1")
	ws.Env = env.all
	if err := t.equip(ctx, ws); err != nil {
		return nil, err
	}
	if ws.Missing != nil {
		return nil, ws.Missing
	}
	if made.launched, err = t.start(ws, true); err != nil {
		return nil, err
	}
	made.lines = bufio.NewReaderSize(made.events, 4<<10)
	return made, nil
}

// finish ends a program that has nothing to do: the end of its standard input
// tells it to go.
func (p *kept) finish() {
	_ = p.stdin.Close()
	grace := time.NewTimer(p.tools.grace)
	defer grace.Stop()
	select {
	case <-p.over:
	case <-p.tools.hurry:
		p.kill()
	case <-grace.C:
		p.end()
	}
	p.clean()
}

// clean removes what a program leaves that is over.
func (p *kept) clean() {
	if p.bored != nil {
		p.bored.Stop()
	}
	p.close()
	p.remove(p.tools)
}

func (p *kept) remove(tools *tools) {
	if err := removeAll(p.dir); err != nil {
		tools.log.Warn("worker: removing the directory of a program failed", "error", err)
	}
}
