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
	for _, key := range slices.Sorted(maps.Keys(given)) {
		r.set(key, given[key])
	}
	for _, s := range r.src.Settings {
		n := r.byAddress[s.Address.Value]
		r.at[n] = r.at[n].or(s.Settings)
	}
	for _, n := range r.nodes {
		r.at[n] = r.at[n].or(n.Settings)
	}
}

var settingNames = []string{"timeout", "retry.attempts", "retry.backoff", "parallelism"}

// set applies one setting given at submit: "count.retry.attempts", "5".
func (r *resolver) set(key, value string) {
	address, setting, _ := strings.Cut(key, ".")
	n := r.byAddress[address]
	if n == nil {
		r.fault(Pos{}, nil, "unknown-address", r.nearAddress(address), "setting %s: %s does not exist", quote(key), quote(address))
		return
	}
	var s Settings
	var err error
	switch setting {
	case "timeout":
		s.Timeout, err = read(value, ParseDuration)
	case "retry.attempts":
		s.Attempts, err = read(value, parseWhole)
	case "retry.backoff":
		s.Backoff, err = read(value, ParseBackoff)
	case "parallelism":
		s.Parallelism, err = read(value, parseWhole)
	default:
		hint := r.spell.Hint(setting, settingNames)
		if hint == "" {
			hint = "there are " + strings.Join(settingNames, ", ")
		}
		r.fault(Pos{}, n, "unknown-setting", hint, "setting %s: %s is no setting", quote(key), quote(setting))
		return
	}
	if err != nil {
		r.fault(Pos{}, n, "bad-setting", "", "setting %s: %s", quote(key), err)
		return
	}
	r.settings(n, s)
	r.at[n] = r.at[n].or(s)
}

func read[T any](text string, parse func(string) (T, error)) (*Setting[T], error) {
	v, err := parse(text)
	return &Setting[T]{Value: v}, err
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
