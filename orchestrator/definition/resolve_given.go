package definition

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// layers gathers by address what is said at submit and under settings, of which
// the first wins, and what is said for the process as a whole.
func (r *resolver) layers(given map[string]string) (said map[string]Settings, whole ProcessSettings) {
	said = map[string]Settings{}
	names := addressBook{addresses: r.everywhere(), spell: &r.spell, find: func(address string) (group, ok bool) {
		n, _ := r.find(address)
		return n != nil && n.Group && !n.child(), n != nil
	}}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		set, faults := names.read(key, given[key])
		if len(faults) == 0 && set.address != "" {
			n, in := r.find(set.address)
			faults = in.faultsOf(n, set.settings, set.address)
		}
		r.faults = append(r.faults, faults...)
		switch {
		case len(faults) > 0:
		case set.address == "":
			whole = set.whole.or(whole)
		default:
			said[set.address] = said[set.address].or(set.settings)
		}
	}
	return r.settingsUnder(said), whole.or(r.src.ProcessSettings)
}

// settingsUnder adds what the file says under settings.
func (r *resolver) settingsUnder(said map[string]Settings) map[string]Settings {
	for _, s := range r.src.Settings {
		said[s.Address.Value] = said[s.Address.Value].or(s.Settings)
	}
	return said
}

// below is what is said for the nodes of a child, by their addresses in it.
func (r *resolver) below(n *node) map[string]Settings {
	said := map[string]Settings{}
	for address, settings := range r.said {
		if inner, ok := strings.CutPrefix(address, n.address+"/"); ok {
			said[inner] = settings
		}
	}
	return said
}

// paramValues gives every param its value: what was handed in, or the default.
func (r *resolver) paramValues(given map[string]string) map[string]json.RawMessage {
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
