package task

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strconv"
)

// Ref names immutable bytes: a blob in the store, by Key, or an object that lies
// elsewhere, by URL. Exactly one of the two is set. Whoever reads other bytes than
// these gets an error, never the bytes.
//
// A blob has a SHA-256. An object elsewhere has one, or, where nobody has read all
// of it, the ETag that it had when it was referred to.
type Ref struct {
	Key    string `json:"key,omitempty"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
	URL    string `json:"url,omitempty"` // see CheckURL
	ETag   string `json:"etag,omitempty"`
}

// Elsewhere reports whether the bytes lie outside the blob store.
func (r Ref) Elsewhere() bool { return r.URL != "" }

// Where is the key, or the URL, for people.
func (r Ref) Where() string {
	if r.Elsewhere() {
		return r.URL
	}
	return r.Key
}

// Content identifies the bytes: two references with the same content read the
// same. It is the SHA-256; of an object without one the ETag, and the URL with it,
// since two objects may have the same ETag by chance.
func (r Ref) Content() string {
	if r.SHA256 != "" {
		return r.SHA256
	}
	return fmt.Sprintf("%q %q", r.URL, r.ETag)
}

// Check says why a reference that came over the wire names nothing that can be
// read, or tells more than it may. What keys are allowed is up to the store.
func (r Ref) Check() error {
	switch {
	case r.Size < 0:
		return fmt.Errorf("reference to %q: the size %d is negative", clip([]byte(r.Where())), r.Size)
	case r.Key == "" && r.URL == "":
		return errors.New("a reference has neither a key nor a URL")
	case r.Key != "" && r.URL != "":
		return fmt.Errorf("reference to %q: it has a key and a URL; a part is in the store or elsewhere", clip([]byte(r.Key)))
	case r.URL == "" && r.ETag != "":
		return fmt.Errorf("reference to blob %q: it has an ETag, which only objects elsewhere have", clip([]byte(r.Key)))
	case r.URL == "":
		return nil
	case r.SHA256 == "" && r.ETag == "":
		return fmt.Errorf("reference to %q: nothing pins it: give its SHA-256 or its ETag", clip([]byte(r.URL)))
	case len(r.ETag) > maxETag:
		return fmt.Errorf("reference to %q: its ETag has %d bytes, at most %d are allowed", clip([]byte(r.URL)), len(r.ETag), maxETag)
	}
	return CheckURL(r.URL)
}

const maxETag = 256

// Part is one element of a name's ordered list: a blob, or a small JSON value
// carried inline. Exactly one of Ref and Value is set.
type Part struct {
	Key   string          `json:"key,omitempty"`  // groups parts for `by key`; an imported file's folder
	Name  string          `json:"name,omitempty"` // the file name, without folders
	Ref   *Ref            `json:"ref,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

// Size is the number of bytes a reader of the part sees.
func (p Part) Size() int64 {
	if p.Ref != nil {
		return p.Ref.Size
	}
	return int64(len(p.Value))
}

// Produced is a part that a task wrote: the Index of the task, the name of the
// dataset it goes to, and the part. The order of appearance within one task is
// the order in which the task created them.
type Produced struct {
	Index int    `json:"index"`
	Data  string `json:"data"`
	Part
}

// Dataset is what a name holds once it is sealed, as metadata: how much there
// is, and where to read it. Parts lists it inline, or Manifest says where the
// list is; an empty dataset has neither.
type Dataset struct {
	Count    int       `json:"count"`          // parts
	Keys     int       `json:"keys,omitempty"` // distinct keys
	Bytes    int64     `json:"bytes,omitempty"`
	Digest   string    `json:"digest,omitempty"` // of the content, not of its location: see Digest
	Parts    []Part    `json:"parts,omitempty"`
	Manifest *Manifest `json:"manifest,omitempty"`

	// KeyNames is the distinct keys of the list in a manifest, in order, where they
	// are needed to join it with others; of no more than MaxKeyNames bytes together.
	KeyNames []string `json:"keyNames,omitempty"`
}

// MaxKeyNames is how many bytes of keys a dataset lists.
const MaxKeyNames = 64 << 10

// Manifest names a stored list of parts, ordered by (key, index, ordinal), and
// the index inside it that makes ranged reads possible and verifiable.
type Manifest struct {
	Ref
	IndexOffset int64  `json:"indexOffset"`
	IndexSize   int64  `json:"indexSize"`
	IndexSHA256 string `json:"indexSha256"`
}

// Inline is the dataset that holds exactly these parts, which are already in
// order: all parts of a key stand together.
func Inline(parts []Part) Dataset {
	d := Dataset{Count: len(parts), Parts: parts}
	digest := NewDigest()
	for i, p := range parts {
		if i == 0 || p.Key != parts[i-1].Key {
			d.Keys++
		}
		d.Bytes += p.Size()
		digest.Add(p)
	}
	d.Digest = digest.Sum()
	return d
}

// Digest identifies the content of a list of parts: their keys, names, sizes
// and contents, in order; see Ref.Content. Where bytes lie whose SHA-256 is known
// does not enter, so the same data imported twice has the same digest.
type Digest struct {
	h    hash.Hash
	line []byte // the one that was added last, whose memory the next one takes
}

// NewDigest is the digest of an empty list.
func NewDigest() *Digest { return &Digest{h: sha256.New()} }

// Add appends one part to the list.
func (d *Digest) Add(p Part) {
	line := append(strconv.AppendQuote(d.line[:0], p.Key), ' ')
	line = append(strconv.AppendQuote(line, p.Name), ' ')
	line = append(strconv.AppendInt(line, p.Size(), 10), ' ')
	if p.Ref != nil {
		line = append(line, p.Ref.Content()...)
	} else {
		sum := sha256.Sum256(p.Value)
		line = hex.AppendEncode(line, sum[:])
	}
	line = append(line, '\n')
	_, _ = d.h.Write(line) // it never fails
	d.line = line
}

// Sum is the digest of what was added so far, in hexadecimal.
func (d *Digest) Sum() string { return hex.EncodeToString(d.h.Sum(nil)) }

// Bucket is the group, from 0 to into-1, that a key belongs to in
// `each: x by key into N`. It is FNV-1a, fixed for ever: stored histories
// depend on it.
func Bucket(key string, into int) int {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return int(h % uint32(into))
}
