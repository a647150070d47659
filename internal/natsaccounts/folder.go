package natsaccounts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nats-io/nkeys"

	"github.com/deedrun/deed/queue"
)

// ConfigFile is the name of the file for nats-servers in a folder of keys.
const ConfigFile = "nats-accounts.conf"

const (
	seedSuffix   = ".nk"
	formerSuffix = ".nk.former"
)

// Folder is where the seeds of users lie, each in a file that only its owner
// reads, and the configuration that follows from them.
type Folder struct {
	Dir string

	// Replace makes a new seed for everybody; the former ones count beside them
	// until Drop.
	Replace bool

	// Drop ends the former seeds.
	Drop bool
}

// Change is what became of a file.
type Change struct {
	File string
	What string // "new", "kept", "replaced" or "dropped"
}

// Write makes the seeds that are missing, of the roles, of workers that name no
// pool and of those of pools, and writes the configuration for all that are there.
func (f Folder) Write(pools []string) ([]Change, error) {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(f.Dir, ConfigFile)
	if text, err := os.ReadFile(path); err == nil && !written(string(text)) {
		return nil, fmt.Errorf("%q was not written by deed: choose another folder, or move it away", path)
	}
	there, err := f.pools()
	if err != nil {
		return nil, err
	}
	pools = slices.Compact(slices.Sorted(slices.Values(slices.Concat([]string{""}, pools, there))))
	var changes []Change
	user := func(name string) (keys []string) {
		if err != nil {
			return nil
		}
		var changed []Change
		keys, changed, err = f.user(name)
		changes = append(changes, changed...)
		return keys
	}
	keys := keyring{Orchestrator: user("orchestrator"), Monitor: user("monitor"), System: user("system"), Workers: map[string][]string{}}
	for _, pool := range pools {
		keys.Workers[pool] = user(workerName(pool))
	}
	if err != nil {
		return changes, err
	}
	return changes, replaceFile(path, []byte(config(accountsOf(keys))), 0o644)
}

// pools are those whose workers have a seed.
func (f Folder) pools() (pools []string, err error) {
	files, err := os.ReadDir(f.Dir)
	for _, file := range files {
		name, isSeed := strings.CutSuffix(file.Name(), seedSuffix)
		if pool, ofPool := strings.CutPrefix(name, workerName("")+"-"); isSeed && ofPool && queue.CheckLane(pool) == nil {
			pools = append(pools, pool)
		}
	}
	return pools, err
}

// user is the public keys of one, the latest first, after its files were brought
// to what is wanted.
func (f Folder) user(name string) (keys []string, changes []Change, err error) {
	file, former := filepath.Join(f.Dir, name+seedSuffix), filepath.Join(f.Dir, name+formerSuffix)
	if f.Drop {
		switch err := os.Remove(former); {
		case err == nil:
			changes = append(changes, Change{former, "dropped"})
		case !errors.Is(err, fs.ErrNotExist):
			return nil, nil, err
		}
	}
	current, err := publicKey(file)
	what := "kept"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		what = "new"
	case err != nil:
		return nil, nil, err
	case f.Replace:
		if _, err := os.Lstat(former); err == nil {
			return nil, nil, fmt.Errorf("%q still counts: drop the former seeds first, when no role uses them any more", former)
		}
		what = "replaced"
		if err := os.Rename(file, former); err != nil {
			return nil, nil, err
		}
	}
	if what != "kept" {
		if current, err = newSeed(file); err != nil {
			return nil, nil, err
		}
	}
	changes = append(changes, Change{file, what})
	keys = []string{current}
	before, err := publicKey(former)
	if err == nil {
		keys = append(keys, before)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	return keys, changes, nil
}

func publicKey(file string) (string, error) {
	seed, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	key, err := nkeys.ParseDecoratedNKey(seed)
	if err != nil {
		return "", fmt.Errorf("%q holds no seed: remove it, and it is made anew", file)
	}
	defer key.Wipe()
	return key.PublicKey()
}

// newSeed makes a user. A file that is there meanwhile stays: two must not make
// the same user at a time.
func newSeed(file string) (public string, err error) {
	key, err := nkeys.CreateUser()
	if err != nil {
		return "", err
	}
	defer key.Wipe()
	seed, err := key.Seed()
	if err != nil {
		return "", err
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	_, err = out.Write(append(seed, '\n'))
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return "", err
	}
	return key.PublicKey()
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, data []byte, mode fs.FileMode) error {
	next, err := os.CreateTemp(filepath.Dir(path), ".accounts-*")
	if err != nil {
		return err
	}
	_, err = next.Write(data)
	err = errors.Join(err, next.Chmod(mode), next.Close())
	if err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		_ = os.Remove(next.Name())
	}
	return err
}
