package orchestrator

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/definition"
)

// sameHeader compares what is stored: equal times may differ in memory.
func sameHeader(a, b archiveHeader) bool {
	one, err := json.Marshal(a)
	other, otherErr := json.Marshal(b)
	return err == nil && otherErr == nil && bytes.Equal(one, other)
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
		if err := checkManifest(ref.Key); err != nil {
			return err
		}
		body, done, err := r.body(manifestsEntry + ref.Key)
		if err != nil {
			return err
		}
		hash := sha256.New()
		body = io.TeeReader(body, hash)
		if r.visitor.manifest != nil {
			if err := r.visitor.manifest(ref, body); err != nil {
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

// checkManifest refuses the key of a list that is none: importing it would put
// something where others look for what they themselves wrote.
func checkManifest(key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	switch kind, _ := blob.Classify(key); kind {
	case blob.KindData, blob.KindInput, blob.KindForeign:
		return nil
	default:
		return fmt.Errorf("it was altered: %q is the name of no list, but of a blob of the kind %s", clipText(key), kind)
	}
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
