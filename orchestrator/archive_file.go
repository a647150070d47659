package orchestrator

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/definition"
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
	manifest func(key string, r io.Reader) error
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
	zip, err := gzip.NewReader(from)
	if err != nil {
		return story{}, fmt.Errorf("it is no archive of deed: %w", err)
	}
	zip.Multistream(false)
	r := &archiveReader{tar: tar.NewReader(zip), visitor: v}
	s, err := r.read()
	if err == nil {
		_, err = io.Copy(io.Discard, zip) // up to its checksum
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) {
		err = fmt.Errorf("it was torn or altered: %w", err)
	}
	return s, err
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

// sameHeader compares what is stored: equal times may differ in memory.
func sameHeader(a, b archiveHeader) bool {
	one, err := json.Marshal(a)
	other, otherErr := json.Marshal(b)
	return err == nil && otherErr == nil && bytes.Equal(one, other)
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

func (r *archiveReader) header() (archiveHeader, error) {
	var h archiveHeader
	data, err := r.small(headerEntry, headerLimit)
	if err != nil {
		return h, err
	}
	form := struct {
		Format int `json:"format"`
	}{}
	if err := json.Unmarshal(data, &form); err != nil {
		return h, fmt.Errorf("%s: %w", headerEntry, err)
	}
	if form.Format != archiveFormat {
		return h, fmt.Errorf("its format is %d, this version of deed reads %d", form.Format, archiveFormat)
	}
	if err := decodeStrictly(data, &h); err != nil {
		return h, fmt.Errorf("%s: %w", headerEntry, err)
	}
	return h, nil
}

func (r *archiveReader) definition() (definition.Definition, error) {
	var def definition.Definition
	data, err := r.small(definitionEntry, definitionLimit)
	if err != nil {
		return def, err
	}
	if err := json.Unmarshal(data, &def); err != nil {
		return def, fmt.Errorf("%s: %w", definitionEntry, err)
	}
	return def, nil
}

func (r *archiveReader) commits(id string) (story, error) {
	body, done, err := r.body(commitsEntry)
	if err != nil {
		return story{}, err
	}
	teller, lines := newStoryteller(id), bufio.NewReaderSize(body, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			break
		}
		var c events.Commit
		if err == nil {
			c, err = decodeCommit(line)
		}
		if err == nil {
			err = teller.add(c, line)
		}
		if err == nil && r.visitor.commit != nil {
			err = r.visitor.commit(c)
		}
		if err != nil {
			return story{}, fmt.Errorf("%s, line %d: %w", commitsEntry, n, err)
		}
	}
	s, err := teller.end()
	if err != nil {
		return s, err
	}
	if s.state.Definition == nil {
		return s, fmt.Errorf("it was altered: %s is empty", commitsEntry)
	}
	return s, done()
}

// readLine reads a line with its end.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > lineLimit:
			return nil, fmt.Errorf("it has more than %d bytes", lineLimit)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return line, err
		}
	}
}

// manifests reads the lists of parts: exactly those that the story refers to.
func (r *archiveReader) manifests(s story) error {
	for _, ref := range s.manifests() {
		if err := blob.CheckKey(ref.Key); err != nil {
			return err
		}
		body, done, err := r.body(manifestsEntry + ref.Key)
		if err != nil {
			return err
		}
		hash := sha256.New()
		body = io.TeeReader(body, hash)
		if r.visitor.manifest != nil {
			if err := r.visitor.manifest(ref.Key, body); err != nil {
				return err
			}
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return err
		}
		if fmt.Sprintf("%x", hash.Sum(nil)) != ref.SHA256 {
			return fmt.Errorf("it was altered: the list %q is not the one that the history refers to", ref.Key)
		}
		if err := done(); err != nil {
			return err
		}
	}
	return nil
}

func (r *archiveReader) checkSums() error {
	want := r.sums.String()
	got, err := r.small(sumsEntry, sumsLimit)
	switch {
	case err != nil:
		return err
	case string(got) != want:
		return fmt.Errorf("it was altered: what is in it does not have the digests in %s", sumsEntry)
	case r.entry != nil:
		return fmt.Errorf("it was altered: %q follows %s", clipText(r.entry.Name), sumsEntry)
	}
	return nil
}

func clipText(s string) string { return strings.ToValidUTF8(s[:min(len(s), 120)], "") }
