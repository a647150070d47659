package doctor

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"runtime"

	"github.com/deedrun/deed/internal/amount"
)

// Of how many open files a role has enough, and of how many too few: each
// connection, stream and blob that is read or written is one.
const (
	manyFiles = 4096
	fewFiles  = 1024
)

func (p *place) checkMachine(_ context.Context, r *report) {
	r.ok("binary", "deed %s, %s, %s/%s", cmp.Or(p.Version, "(devel)"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	limit, err := p.Machine.Files()
	fix := "raise it where deed is started: `ulimit -n 65536` in a shell, LimitNOFILE=65536 in a systemd unit"
	switch {
	case err != nil:
		r.add("open-files", Warn, fmt.Sprintf("the limit of open files is not known: %v", err), "look at `ulimit -n` where deed is started: at least 4096 is good")
	case limit < fewFiles:
		r.add("open-files", Fail, fmt.Sprintf("at most %d open files: too few for a role", limit), fix)
	case limit < manyFiles:
		r.add("open-files", Warn, fmt.Sprintf("at most %d open files", limit), fix)
	default:
		r.ok("open-files", "at most %d", limit)
	}
}

// checkDisk says whether there is room where something is stored.
func (p *place) checkDisk(r *report, check, dir, fix string) {
	free, size, err := p.Machine.Disk(dir)
	if err != nil {
		r.add(check, Warn, fmt.Sprintf("how much is free at %s is not known: %v", dir, err), "look at `df "+quoted(dir)+"`")
		return
	}
	share := 100 * float64(free) / float64(max(size, 1))
	found := fmt.Sprintf("%s free of %s (%.0f %%) at %s", amount.Bytes(free), amount.Bytes(size), share, dir)
	switch {
	case free < 256<<20 || share < 2:
		r.add(check, Fail, found+": what is full refuses every event", fix)
	case free < 2<<30 && share < 20 || share < 8:
		r.add(check, Warn, found, fix)
	default:
		r.ok(check, "%s", found)
	}
}

// othersMay reports whether others than the owner may do something with a file,
// and anybodyMay whether those may who are not of its group either: a secret
// that is mounted belongs to a group.
func othersMay(mode fs.FileMode) bool  { return mode.Perm()&0o077 != 0 }
func anybodyMay(mode fs.FileMode) bool { return mode.Perm()&0o007 != 0 }
