package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// dataFolder is the data folder of one machine.
type dataFolder struct {
	Dir    string // as it was named
	Path   string // absolute
	Err    error  // it cannot be used at all
	Served bool   // somebody does, so that somebody orchestrates
	By     int    // the process that does; 0: not known
	Stale  int    // the process that says that it serves it, and has ended; 0: none

	// Locked is why it can be neither served nor joined: another process has it.
	Locked error
}

func (p *place) checkFolder(_ context.Context, r *report) {
	f := p.Folder
	switch {
	case f == nil:
		return
	case errors.Is(f.Err, fs.ErrNotExist):
		r.add("folder", Fail, "there is no folder "+f.Dir, "start deed in it: `"+p.Role("up")+"`, or name another with --data")
		return
	case f.Err != nil:
		r.add("folder", Fail, f.Err.Error(), "name another folder with --data")
		return
	}
	p.checkModes(r)
	switch {
	case f.Locked != nil:
		r.add("orchestrators", Fail, f.Locked.Error(), "wait until it has ended, or stop it; then `"+p.Role("up")+"`")
	case f.Stale != 0:
		r.add("orchestrators", Warn, fmt.Sprintf("process %d, which served %s, has ended without saying so; nobody serves it", f.Stale, f.Dir), "go on where it was: `"+p.Role("up")+"`")
	case !f.Served:
		r.add("orchestrators", Warn, "nobody serves "+f.Dir+": what has not ended stands still", "serve it: `"+p.Role("up")+"`")
	}
	p.checkDisk(r, "disk", f.Path, "make room on that disk, or remove blobs that no process refers to: `"+p.Ask("gc", "--delete")+"`")
}

// checkModes says whether others may read what is in the folder: data, and, in
// server.json, the token of its server.
func (p *place) checkModes(r *report) {
	dir := p.Folder.Path
	info, err := p.Machine.Stat(dir)
	if err != nil {
		r.add("folder", Fail, err.Error(), "name another folder with --data")
		return
	}
	if othersMay(info.Mode()) {
		r.add("folder", Warn, fmt.Sprintf("others may look into %s (mode %#o)", p.Folder.Dir, info.Mode().Perm()), "`chmod 700 "+quoted(dir)+"`")
		return
	}
	address := filepath.Join(dir, "server.json")
	if info, err := p.Machine.Stat(address); err == nil && othersMay(info.Mode()) {
		r.add("folder", Fail, fmt.Sprintf("others may read %s (mode %#o), which holds the token of the server", address, info.Mode().Perm()), "`chmod 600 "+quoted(address)+"`")
		return
	}
	r.ok("folder", "%s is its owner's alone", p.Folder.Dir)
}
