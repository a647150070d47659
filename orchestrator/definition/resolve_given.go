package definition

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// layers gathers for each node what is said for it: at submit, under settings,
// and at the node itself; the first of these wins.
func (r *resolver) layers(given map[string]string) {
	names := addressBook{addresses: r.addresses, spell: &r.spell, find: func(address string) (group, ok bool) {
		n := r.byAddress[address]
		return n != nil && n.Group, n != nil
	}}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		set, faults := names.read(key, given[key])
		r.faults = append(r.faults, faults...)
		switch n := r.byAddress[set.address]; {
		case len(faults) > 0:
		case set.address == "":
			r.whole = set.whole.or(r.whole)
		default:
			r.at[n] = r.at[n].or(set.settings)
		}
	}
	for _, s := range r.src.Settings {
		n := r.byAddress[s.Address.Value]
		r.at[n] = r.at[n].or(s.Settings)
	}
	for _, n := range r.nodes {
		r.at[n] = r.at[n].or(n.Settings)
	}
}

// values gives every param its value: what was handed in, or the default.
func (r *resolver) values(given map[string]string) map[string]json.RawMessage {
	values := map[string]json.RawMessage{}
	for _, p := range r.src.Params {
		name := p.Name.Value
		text, isGiven := given[name]
		switch {
		case isGiven:
			value, wanted := typed(text, p.Default)
			if wanted != "" {
				r.fault(Pos{}, nil, "bad-param", "", "param %s: %s is no %s, the type of its default %s",
					quote(name), quote(text), wanted, clip(string(p.Default)))
			}
			values[name] = value
		case p.Default == nil:
			r.fault(p.Name.Pos, nil, "missing-param", "give it at submit, or write a default", "param %s has no value", quote(name))
		default:
			values[name] = p.Default
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !r.params[name] {
			r.fault(Pos{}, nil, "unknown-param", r.spell.Hint(name, r.paramList), "param %s is given, but not declared", quote(name))
		}
	}
	if len(values) == 0 {
		return nil
	}
	return values
}

// typed reads a text by the type of a default. wanted says what it should have
// been, if it is not that.
func typed(text string, byDefault json.RawMessage) (value json.RawMessage, wanted string) {
	isNumber := json.Valid([]byte(text)) && strings.Trim(text, "-+.eE0123456789") == ""
	_, notWhole := strconv.ParseInt(text, 10, 64)
	isBool := text == "true" || text == "false"
	literal := json.RawMessage(text)
	switch kind := string(byDefault); {
	case kind == "":
		if isNumber || isBool {
			return literal, ""
		}
	case kind == "true" || kind == "false":
		if !isBool {
			return nil, "boolean (true or false)"
		}
		return literal, ""
	case kind[0] != '"':
		if !isNumber {
			return nil, "number"
		}
		if isWhole := !strings.ContainsAny(kind, ".eE"); isWhole && notWhole != nil {
			return nil, "whole number"
		}
		return literal, ""
	}
	value, _ = json.Marshal(text)
	return value, ""
}
