package task

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
)

// Ref names immutable bytes in the blob store. Whoever reads other bytes than
// these gets an error, never the bytes.
type Ref struct {
	Key    string `json:"key"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

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
}

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
// and SHA-256, in order. Where the bytes lie does not enter, so the same data
// imported twice has the same digest.
type Digest struct{ h hash.Hash }

// NewDigest is the digest of an empty list.
func NewDigest() *Digest { return &Digest{h: sha256.New()} }

// Add appends one part to the list.
func (d *Digest) Add(p Part) {
	sum := ""
	if p.Ref != nil {
		sum = p.Ref.SHA256
	} else {
		s := sha256.Sum256(p.Value)
		sum = hex.EncodeToString(s[:])
	}
	fmt.Fprintf(d.h, "%q %q %d %s\n", p.Key, p.Name, p.Size(), sum)
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
