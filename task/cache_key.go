package task

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Ingredient is one of the things that the result of a task follows from: what
// it is called for people, and what it is.
type Ingredient struct {
	Name  string `json:"name"`  // "handler", "param top", "input corpus"
	Value string `json:"value"` // a text; a long one as its digest
}

// Reusable reports whether the work is such that results of equal tasks may be
// taken, and left for others. What the orchestration itself needs done is not.
func (w *Work) Reusable() bool {
	return w.Cache && w.Scope != "" && w.Seal == nil && w.Run.Handler != ChildHandler
}

// Ingredients is all that the result of a task of the work follows from, in the
// order of their names: what executes it, at the version given, and what that is
// told and reads. Inputs has, for each input of the work, the digest of the parts
// that it gives to this task.
//
// Left out is what tells one task from another that does the same: process,
// address, index, attempt. And what says how it is done, not what: pool, needs,
// limits, timeout. Of a secret only its name is here.
func (w *Work) Ingredients(version string, inputs []string) []Ingredient {
	all := []Ingredient{{"scope", w.Scope}}
	add := func(name, value string) {
		all = append(all, Ingredient{Name: name, Value: brief(value)})
	}
	switch bare, _, _ := strings.Cut(w.Run.Handler, "@"); {
	case bare != "":
		add("handler", bare)
		add("version", version)
	case w.Run.Shell != "":
		add("script", w.Run.Shell)
	default:
		text, _ := json.Marshal(w.Run.Command) // strings: it cannot fail
		add("command", string(text))
		if w.Run.Keep {
			add("keep", "true")
		}
	}
	if w.Run.Handler == "" { // any of them may be read by a program
		for _, f := range w.Files {
			add("file "+f.Name, f.Ref.Content())
		}
	}
	for name, value := range w.Params {
		add("param "+name, wired(value))
	}
	for name, v := range w.Env {
		if v.Secret != "" {
			add("env "+name, "secret "+v.Secret)
			continue
		}
		add("env "+name, "value "+v.Value)
	}
	for i, in := range w.Inputs {
		add("input "+in.Local, in.seenAs()+" "+inputs[i])
	}
	for _, out := range w.Outputs {
		add("output "+out.Local, out.JSON)
	}
	slices.SortFunc(all, func(a, b Ingredient) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// seenAs is how a task sees an input, apart from what is in it.
func (in *Input) seenAs() string {
	if in.Mode == Group && in.Into > 0 {
		return "bucket"
	}
	return string(in.Mode)
}

// KnownInput is the digest of what an input gives to the k-th task of the work,
// where the message itself says it. Otherwise it takes a look into the manifest.
func (in *Input) KnownInput(k int) (digest string, known bool) {
	if in.Manifest != nil {
		return in.Digest, in.Mode == Whole && in.Digest != ""
	}
	if in.Mode == Whole {
		k = 0
	}
	if k >= len(in.Lists) {
		return "", false
	}
	sum := NewDigest()
	for _, p := range in.Lists[k] {
		sum.Add(p)
	}
	return in.Keyed(k, sum.Sum()), true
}

// Keyed is the digest of what an input gives to the k-th task, with the key of a
// join, which a task is told also where an input has no part of it.
func (in *Input) Keyed(k int, digest string) string {
	if k >= len(in.Keys) {
		return digest
	}
	return fmt.Sprintf("%s of %q", digest, in.Keys[k])
}

// KnownInputs is KnownInput of all inputs of the work; false if one is not known.
func (w *Work) KnownInputs(k int) (digests []string, known bool) {
	digests = make([]string, len(w.Inputs))
	for i := range w.Inputs {
		if digests[i], known = w.Inputs[i].KnownInput(k); !known {
			return nil, false
		}
	}
	return digests, true
}

// CacheKey is what tasks have in common whose ingredients are the same: 64
// hexadecimal digits.
func CacheKey(all []Ingredient) string {
	h := sha256.New()
	_, _ = h.Write([]byte("deed cache 1\n"))
	for _, i := range all {
		fmt.Fprintf(h, "%q %q\n", i.Name, i.Value)
	}
	return hex.EncodeToString(h.Sum(nil))
}

const (
	longestValue = 200       // bytes of an ingredient that are kept as they are
	digested     = "sha256 " // begins what stands for a longer one
)

// brief keeps values apart: a short one that looks like what stands for a long one
// is not kept as it is.
func brief(value string) string {
	if len(value) <= longestValue && !strings.HasPrefix(value, digested) {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	return digested + hex.EncodeToString(sum[:])
}

// wired is a JSON value as it looks after it was sent: without needless space,
// and escaped.
func wired(value json.RawMessage) string {
	text, err := json.Marshal(value)
	if err != nil { // it is none: what it is instead is not lost
		return string(value)
	}
	return string(text)
}
