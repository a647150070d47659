package orchestrator

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
)

// The entries of an archive, in this order; then SHA256SUMS, as sha256sum reads
// it. docs/archiving.md describes them.
const (
	archiveFormat   = 1
	headerEntry     = "archive.json"
	definitionEntry = "definition.json"
	commitsEntry    = "commits.jsonl"
	manifestsEntry  = "manifests/"
	sumsEntry       = "SHA256SUMS"
)

// archiveHeader is the first entry of an archive. All of it but the format and
// the version of deed follows from the commits.
type archiveHeader struct {
	Format    int            `json:"format"`
	Process   string         `json:"process"`
	Name      string         `json:"name"`
	Version   string         `json:"definitionVersion,omitempty"`
	Hash      string         `json:"definitionHash"`
	Status    process.Status `json:"status"`
	StartedAt time.Time      `json:"startedAt"`
	EndedAt   time.Time      `json:"endedAt"`
	Events    uint64         `json:"events"`
	Commits   int            `json:"commits"`
	Deed      string         `json:"deed"` // the version that wrote it
}

func headerOf(s story, version string) archiveHeader {
	return archiveHeader{
		Format: archiveFormat, Process: s.state.ID, Name: s.state.Definition.Name, Version: s.state.Definition.Version, Hash: s.state.Hash,
		Status: s.state.Status, StartedAt: s.state.StartedAt, EndedAt: s.state.EndedAt, Events: s.state.Version, Commits: s.commits, Deed: version,
	}
}

// epoch is the time of every entry: the same history gives the same bytes.
var epoch = time.Unix(0, 0).UTC()

// errDiffers is a history that is not the one that was to be written.
var errDiffers = errors.New("the history changed while it was archived")

// archiveWriter writes the entries of an archive and remembers their digests.
type archiveWriter struct {
	zip  *gzip.Writer
	tar  *tar.Writer
	sums bytes.Buffer
}

// write writes the archive of a story whose commits are read a second time: as
// they stand in the store, one at a time.
func (a *Archive) write(ctx context.Context, to io.Writer, s story) error {
	w := &archiveWriter{zip: gzip.NewWriter(to)}
	w.tar = tar.NewWriter(w.zip)
	header, err := json.MarshalIndent(headerOf(s, deedVersion()), "", "  ")
	if err != nil {
		return err
	}
	definition, err := json.MarshalIndent(s.state.Definition, "", "  ")
	if err != nil {
		return err
	}
	if err := w.bytes(headerEntry, append(header, '\n')); err != nil {
		return err
	}
	if err := w.bytes(definitionEntry, append(definition, '\n')); err != nil {
		return err
	}
	if err := w.entry(commitsEntry, s.size, func(to io.Writer) error { return a.writeCommits(ctx, to, s) }); err != nil {
		return err
	}
	for _, ref := range s.manifests() {
		err := w.entry(manifestsEntry+ref.Key, ref.Size, func(to io.Writer) error {
			r, err := a.Blobs.Open(ctx, ref)
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(to, r)
			return err
		})
		if err != nil {
			return fmt.Errorf("a list of what it wrote: %w", err)
		}
	}
	return w.close()
}

// writeCommits writes the commits of a story. What comes after it in the store
// is not part of it.
func (a *Archive) writeCommits(ctx context.Context, to io.Writer, s story) error {
	hash := sha256.New()
	to = io.MultiWriter(to, hash)
	for c, err := range historyOf(ctx, a.Events, s.state.ID, 0) {
		if err != nil {
			return err
		}
		line, err := encodeCommit(c)
		if err != nil {
			return err
		}
		if _, err := to.Write(line); err != nil {
			return err
		}
		if c.Version() >= s.state.Version {
			break
		}
	}
	if hex.EncodeToString(hash.Sum(nil)) != s.digest {
		return errDiffers
	}
	return nil
}

func (w *archiveWriter) bytes(name string, data []byte) error {
	return w.entry(name, int64(len(data)), func(to io.Writer) error {
		_, err := to.Write(data)
		return err
	})
}

func (w *archiveWriter) entry(name string, size int64, write func(io.Writer) error) error {
	if err := w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, ModTime: epoch}); err != nil {
		return err
	}
	hash := sha256.New()
	if err := write(io.MultiWriter(w.tar, hash)); err != nil {
		return err
	}
	fmt.Fprintf(&w.sums, "%x  %s\n", hash.Sum(nil), name)
	return nil
}

func (w *archiveWriter) close() error {
	if err := w.bytes(sumsEntry, bytes.Clone(w.sums.Bytes())); err != nil {
		return err
	}
	return errors.Join(w.tar.Close(), w.zip.Close())
}

const module = "github.com/deedrun/deed"

// deedVersion is the version of this module, in whatever binary it is.
func deedVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Path == module && info.Main.Version != "" {
			return info.Main.Version
		}
		for _, m := range info.Deps {
			if m.Path == module {
				return m.Version
			}
		}
	}
	return "(devel)"
}
