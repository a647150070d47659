package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/process"
)

// progress shows how far a process is, on standard error: a bar a step on a
// terminal, redrawn ten times a second; else plain lines, at most one a second.
type progress struct {
	app      *app
	id       string
	terminal bool

	mu     sync.Mutex
	state  process.State
	news   string // what was imported last
	drawn  int    // lines on the terminal
	said   string // the last plain line
	ticker *time.Ticker
	done   chan struct{}
	ended  sync.WaitGroup
}

// mostBars is how many steps are shown at a time.
const mostBars = 12

func newProgress(a *app, id string) *progress {
	p := &progress{app: a, id: id, terminal: isTerminal(a.stderr), done: make(chan struct{})}
	every := time.Second
	if p.terminal {
		every = 100 * time.Millisecond
	}
	p.ticker = time.NewTicker(every)
	p.ended.Go(func() {
		for {
			select {
			case <-p.ticker.C:
				p.show()
			case <-p.done:
				return
			}
		}
	})
	return p
}

func (p *progress) importing(name string, done, total int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.news = fmt.Sprintf("importing %s: %d of %s, %s", name, done, amount.Of(total, "file"), amount.Bytes(bytes))
}

func (p *progress) update(s process.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = s
}

// stop shows the last state and ends.
func (p *progress) stop() {
	close(p.done)
	p.ended.Wait()
	p.ticker.Stop()
	p.show()
}

func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		p.draw()
		return
	}
	if line := p.line(); line != "" && line != p.said {
		p.said = line
		fmt.Fprintln(p.app.stderr, line)
	}
}

// line is the state on one line: word-count-x: count 12/66, merge 0/8.
func (p *progress) line() string {
	if p.state.Version == 0 {
		return p.news
	}
	var steps []string
	for _, s := range p.bars() {
		steps = append(steps, fmt.Sprintf("%s %d/%d%s", s.Address, s.Confirmed, s.Tasks, trouble(s)))
	}
	return fmt.Sprintf("%s %s%s: %s%s", p.id, p.state.Status, p.pause(), p.summary(), strings.Join(steps, ", "))
}

// pause says who paused the process: " (by ada: lunch)".
func (p *progress) pause() string {
	if p.state.Pause == nil || p.state.Pause.Asked.String() == "" {
		return ""
	}
	return " (" + strings.TrimSpace(printable(p.state.Pause.Asked.String())) + ")"
}

// summary says of a process with more steps than are shown how many are done.
func (p *progress) summary() string {
	steps := p.state.Steps()
	if len(steps) <= mostBars {
		return ""
	}
	done := 0
	for _, s := range steps {
		if s.Phase == "completed" {
			done++
		}
	}
	return fmt.Sprintf("%d of %d steps done; ", done, len(steps))
}

// bars are the steps worth showing: all of a short process; of a long one,
// those that have begun, the latest.
func (p *progress) bars() []process.Progress {
	steps := p.state.Steps()
	if len(steps) <= mostBars {
		return steps
	}
	var begun []process.Progress
	for _, s := range steps {
		if s.Phase != "waiting" {
			begun = append(begun, s)
		}
	}
	return begun[max(0, len(begun)-mostBars):]
}

func trouble(s process.Progress) string {
	var words []string
	for _, of := range []struct {
		n    int
		what string
	}{{s.Reused, "reused"}, {s.Skipped, "skipped"}, {s.Retrying, "to be retried"}} {
		if of.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", of.n, of.what))
		}
	}
	if s.Phase == "sealing" && s.Skipped == 0 && s.Retrying == 0 {
		words = append(words, "sealing")
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

func (p *progress) draw() {
	columns := p.columns() - 1
	lines := []string{p.news}
	if p.state.Version > 0 {
		lines = p.barLines(columns)
		if more := p.summary(); more != "" {
			lines = append(lines, strings.TrimSuffix(more, "; "))
		}
		if p.state.Pause != nil {
			lines = append(lines, "paused"+p.pause()+": "+p.app.commandLine("resume", p.id)+" makes it go on")
		}
	}
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", p.drawn)
	}
	for _, line := range lines {
		b.WriteString("\r\x1b[K" + cut(line, columns) + "\n")
	}
	for range p.drawn - len(lines) {
		b.WriteString("\r\x1b[K\n")
	}
	p.drawn = max(p.drawn, len(lines))
	fmt.Fprint(p.app.stderr, b.String())
}

// barLines are a line a step. On a narrow terminal the bars give way first,
// then the addresses, and the numbers stay.
func (p *progress) barLines(columns int) []string {
	bars, width, numbers := p.bars(), 4, 0
	for _, s := range bars {
		width = max(width, len(s.Address))
		numbers = max(numbers, len(count(s)))
	}
	cells := min(max(columns-width-numbers-2, 5), 30)
	width = max(min(width, columns-cells-numbers-2), 4)
	lines := make([]string, len(bars))
	for i, s := range bars {
		address := s.Address
		if len(address) > width {
			address = "…" + address[len(address)-width+1:] // the end tells steps of a group apart
		}
		lines[i] = fmt.Sprintf("%-*s %s %s", width, address, p.bar(s, cells), count(s))
	}
	return lines
}

func count(s process.Progress) string {
	if s.Phase == "waiting" {
		return s.Phase
	}
	text := fmt.Sprintf("%d/%d", s.Confirmed, s.Tasks)
	if !s.EndedAt.IsZero() {
		text += "  " + duration(s.EndedAt.Sub(s.StartedAt))
	}
	return text + trouble(s)
}

func (p *progress) bar(s process.Progress, cells int) string {
	full := 0
	switch {
	case s.Phase == "completed":
		full = cells
	case s.Tasks > 0:
		full = cells * s.Confirmed / s.Tasks
	}
	blocks, rest := strings.Repeat("█", full), strings.Repeat("░", cells-full)
	if p.app.colour() {
		blocks = "\x1b[32m" + blocks + "\x1b[0m"
	}
	return blocks + rest
}

func (p *progress) columns() int {
	if f, ok := p.app.stderr.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 80
}

// cut shortens a line to what a terminal shows, not counting colours.
func cut(line string, columns int) string {
	shown, escape := 0, false
	for i, r := range line {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		default:
			if shown++; shown > columns {
				return line[:i] + "\x1b[0m"
			}
		}
	}
	return line
}
