package orchestrator

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// The most that is held in memory of an archive at a time.
const (
	headerLimit     = 1 << 20
	definitionLimit = 64 << 20
	lineLimit       = 64 << 20 // a commit
	sumsLimit       = 64 << 20
)

// errEnough ends the reading of an archive early, by who reads it.
var errEnough = errors.New("the reader has enough")

// visitor is shown what is in an archive, in order. It is shown before the rest
// is verified: who cannot undo what he makes of it reads the archive first
// without one.
type visitor struct {
	commit   func(events.Commit) error
	manifest func(list task.Ref, r io.Reader) error
}

// archiveReader reads the entries of an archive in their order.
type archiveReader struct {
	tar     *tar.Reader
	entry   *tar.Header // the one to be read next; nil after the last
	sums    bytes.Buffer
	visitor visitor
}

// readArchive reads an archive from beginning to end. It returns what the
// commits say, if everything agrees with everything else: an archive that is
// torn, altered or not whole, or of a form that this version does not know, is
// an error. Whose archive it is the caller has to compare.
func readArchive(from io.Reader, v visitor) (story, error) {
	buffered := bufio.NewReader(from)
	zip, err := gzip.NewReader(buffered)
	if err != nil {
		return story{}, fmt.Errorf("it is no archive of deed: %w", err)
	}
	zip.Multistream(false)
	r := &archiveReader{tar: tar.NewReader(zip), visitor: v}
	s, err := r.read()
	if err == nil {
		err = ends(zip) // with its checksum
	}
	if err == nil {
		err = ends(buffered)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) {
		err = fmt.Errorf("it was torn or altered: %w", err)
	}
	return s, err
}

// ends makes sure that nothing more comes.
func ends(r io.Reader) error {
	n, err := io.Copy(io.Discard, io.LimitReader(r, 1))
	if err == nil && n > 0 {
		err = errors.New("it was altered: something follows its end")
	}
	return err
}

func (r *archiveReader) read() (story, error) {
	if err := r.next(); err != nil {
		return story{}, fmt.Errorf("it is no archive of deed: %w", err)
	}
	header, err := r.header()
	if err != nil {
		return story{}, err
	}
	def, err := r.definition()
	if err != nil {
		return story{}, err
	}
	s, err := r.commits(header.Process)
	if err != nil {
		return s, err
	}
	switch {
	case process.CheckID(s.state.ID) != nil:
		return s, fmt.Errorf("it was altered: %w", process.CheckID(s.state.ID))
	case !s.state.Ended():
		return s, fmt.Errorf("it was altered: by its commits process %q has not ended", s.state.ID)
	case !sameHeader(headerOf(s, header.Deed), header):
		return s, fmt.Errorf("it was altered: %s says something else than the commits", headerEntry)
	case def.Hash() != s.state.Hash:
		return s, fmt.Errorf("it was altered: %s is not the definition that the commits lead to", definitionEntry)
	}
	if err := r.manifests(s); err != nil {
		return s, err
	}
	return s, r.checkSums()
}

// next goes on to the next entry.
func (r *archiveReader) next() error {
	entry, err := r.tar.Next()
	switch {
	case errors.Is(err, io.EOF):
		r.entry = nil
		return nil
	case err != nil:
		return err
	case entry.Typeflag != tar.TypeReg || entry.Size < 0:
		return fmt.Errorf("%q is not a plain file", clipText(entry.Name))
	}
	r.entry = entry
	return nil
}

// body is the entry that has to come now, and takes its digest; done is called
// when it has been read.
func (r *archiveReader) body(name string) (body io.Reader, done func() error, err error) {
	if r.entry == nil {
		return nil, nil, fmt.Errorf("it is not whole: %s is missing", clipText(name))
	}
	if r.entry.Name != name {
		return nil, nil, fmt.Errorf("it was altered: %q stands where %q comes next", clipText(r.entry.Name), clipText(name))
	}
	hash := sha256.New()
	return io.TeeReader(r.tar, hash), func() error {
		fmt.Fprintf(&r.sums, "%x  %s\n", hash.Sum(nil), name)
		return r.next()
	}, nil
}

// small is an entry that is read whole.
func (r *archiveReader) small(name string, limit int64) ([]byte, error) {
	body, done, err := r.body(name)
	if err != nil {
		return nil, err
	}
	if r.entry.Size > limit {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are read", name, r.entry.Size, limit)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return data, done()
}

func clipText(s string) string { return strings.ToValidUTF8(s[:min(len(s), 120)], "") }
