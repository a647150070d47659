// Package doctor examines a deed: the machine, the folder, NATS and its streams,
// who orchestrates and works, the event store and the blob store. Each check is
// a [Finding], and one that is not ok says what to do about it.
//
// An examination changes nothing but for a probe in the blob store, which it
// removes again. Whatever cannot be reached is a finding, not an error, and
// nothing is waited for longer than a check has time for:
//
//	what there is ──► groups of checks, all at once, each with its own time ──► []Finding, in a fixed order
//
// [Mend] gives a stream the settings that deed relies on. That is all it does:
// whatever else is wrong is for people.
package doctor

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/folder"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
)

// Finding is what a check found.
type Finding = wire.Finding

func finding(check string, status wire.FindingStatus, found, fix string) Finding {
	return Finding{Check: check, Status: status, Found: found, Fix: fix}
}

// How a check ended.
const (
	OK   = wire.FindingOK
	Warn = wire.FindingWarn
	Fail = wire.FindingFail
)

// place is what is examined. What is zero is not there, and not examined.
type place struct {
	Version string // of this binary
	Folder  *dataFolder
	NATS    *natsServer
	Signals queue.Signals // between roles
	Events  *eventStore
	Blobs   *blobStore

	// Secrets are files that hold tokens, keys or credentials, and Certificates
	// those that a server shows, in PEM.
	Secrets, Certificates []string

	// Ask and Role write a command line that asks here, or is a role here. nil:
	// one that does not say where.
	Ask, Role func(words ...string) string

	// StreamsOnly is for who has just mended one.
	StreamsOnly bool

	Machine Machine
}

// natsServer is the server of the queues, or one of a cluster.
type natsServer struct {
	URL      string // for people: without users
	Err      error  // it cannot be reached
	Conn     *nats.Conn
	Embedded bool // in a process of deed, with a folder of its own

	JetStream jetstream.JetStream // as these credentials reach it
	Off       error               // why they do not
	Looks     bool                // they only look, and may not ask
}

// eventStore is the event store.
type eventStore struct {
	Name      string // for people: without users
	Elsewhere bool   // not in the JetStream of the queues
	// Open opens it when it is first needed, or says why it cannot be used by who has
	// these queues; nil without an error: there is none yet.
	Open func(ctx context.Context) (*events.Store, error)
}

// blobStore is the blob store.
type blobStore struct {
	URL   string // for people: without users
	Dir   string // of a store of files
	Err   error  // it cannot be opened
	Store *blob.Store
}

// checkWithin is how long a group of checks has.
const checkWithin = 12 * time.Second

// group is checks that are made one after the other. What it examines is named
// by what, if it does not end.
type group struct {
	what  string
	check func(ctx context.Context, r *report)
}

// report collects the findings of a group.
type report struct{ findings []Finding }

func (r *report) add(check string, status wire.FindingStatus, found, fix string) {
	r.findings = append(r.findings, finding(check, status, found, fix))
}

func (r *report) ok(check, format string, args ...any) {
	r.add(check, OK, fmt.Sprintf(format, args...), "")
}

// examine makes all checks that the place allows. It returns within half a
// minute, whatever hangs.
func examine(ctx context.Context, p place) []Finding {
	p.Machine = p.Machine.withDefaults()
	if p.Ask == nil {
		p.Ask = anywhere
	}
	if p.Role == nil {
		p.Role = anywhere
	}
	groups := p.groups()
	done := make([]chan []Finding, 0, len(groups))
	for _, g := range groups {
		findings := make(chan []Finding, 1)
		done = append(done, findings)
		go func() {
			within, cancel := context.WithTimeout(ctx, checkWithin)
			defer cancel()
			r := &report{}
			g.check(within, r)
			findings <- r.findings
		}()
	}
	patience := time.After(checkWithin + time.Second)
	var all []Finding
	for i, g := range groups {
		select {
		case findings := <-done[i]:
			all = append(all, findings...)
			continue
		default:
		}
		select {
		case findings := <-done[i]:
			all = append(all, findings...)
		case <-patience:
			all = append(all, finding(g.what, Fail, fmt.Sprintf("no answer within %s", checkWithin), "look whether it hangs, and whether a network or firewall is in between"))
			patience = time.After(0) // no more of it for those that follow
		}
	}
	return all
}

// groups are those that the place allows.
func (p *place) groups() []group {
	if p.StreamsOnly && p.NATS != nil && p.NATS.JetStream != nil {
		return []group{{"streams", p.checkStreams}}
	}
	groups := []group{{"machine", p.checkMachine}, {"secrets", p.checkFiles}, {"folder", p.checkFolder}}
	switch {
	case p.NATS == nil:
	case p.NATS.Err != nil:
		groups = append(groups, group{"nats", p.notReached})
	case p.NATS.Off != nil:
		groups = append(groups, group{"nats", p.checkNATS})
	default:
		groups = append(groups, group{"nats", p.checkNATS}, group{"streams", p.checkStreams})
	}
	reached := p.NATS == nil || p.NATS.Err == nil && p.NATS.Off == nil
	if p.Signals != nil && reached && (p.Folder == nil || p.Folder.Served) {
		groups = append(groups, group{"orchestrators", p.checkRoles})
	}
	return append(groups, group{"events", p.checkEvents}, group{"blobs", p.checkBlobs})
}

func anywhere(words ...string) string { return "deed " + strings.Join(words, " ") }

// Machine is what is asked of the operating system.
type Machine struct {
	Now   func() time.Time                             // nil: time.Now
	Disk  func(dir string) (free, size int64, _ error) // nil: of the file system of a directory
	Files func() (limit uint64, err error)             // nil: how many files this process may have open
	Stat  func(path string) (os.FileInfo, error)       // nil: os.Stat
}

func (m Machine) withDefaults() Machine {
	if m.Now == nil {
		m.Now = time.Now
	}
	if m.Disk == nil {
		m.Disk = folder.Disk
	}
	if m.Files == nil {
		m.Files = openFiles
	}
	if m.Stat == nil {
		m.Stat = os.Stat
	}
	return m
}

// look asks those who orchestrate.
func (p *place) look(ctx context.Context, id string) (orchestrator.View, error) {
	client := &orchestrator.Client{Signals: p.Signals}
	return client.Look(ctx, id)
}
