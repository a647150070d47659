package definition

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
)

// Hash identifies the definition: the SHA-256, in hexadecimal, of its
// canonical JSON. It is stored in histories, so the JSON of Definition keeps
// its form: a new field must be omitted when it is empty.
func (d Definition) Hash() string {
	sum := sha256.New()
	// Text, finite numbers and valid raw JSON always encode, and a hash never
	// fails. Check and Set let no other numbers in.
	_ = json.NewEncoder(sum).Encode(d.encodable())
	return hex.EncodeToString(sum.Sum(nil))
}

// encodable replaces values that are no JSON, which only Go code can build, by
// their text: two definitions that differ in nothing else still hash apart.
func (d Definition) encodable() Definition {
	d.Params = encodable(d.Params)
	d.Steps = slices.Clone(d.Steps)
	for i := range d.Steps {
		s := &d.Steps[i]
		s.Params = encodable(s.Params)
		if s.Process != nil {
			child := s.Process.encodable()
			s.Process = &child
		}
	}
	return d
}

func encodable(params map[string]json.RawMessage) map[string]json.RawMessage {
	out := maps.Clone(params)
	for name, value := range params {
		if !json.Valid(value) {
			out[name], _ = json.Marshal(string(value))
		}
	}
	return out
}
