package definition

import (
	"slices"
	"strings"
)

// settingNames are what may follow an address: "count.retry.attempts".
var settingNames = []string{
	"timeout", "retry.attempts", "retry.backoff", "retry.factor", "retry.jitter", "parallelism", "tolerate", "pool", "needs", "rate", "cache", "limits",
}

// none lifts a limit.
const none = "none"

// given is one setting that was given as text: for an address, or, without one,
// for the process as a whole.
type given struct {
	address  string
	settings Settings
	whole    ProcessSettings
}

// addressBook reads settings given as texts, for a source or for a definition
// that runs already: both take the same, and refuse in the same words.
type addressBook struct {
	addresses []string // of steps and groups
	find      func(address string) (group, ok bool)
	spell     *Speller
}

// read is one setting, or the fault for which it is refused; it has no place.
func (b addressBook) read(key, value string) (given, []Fault) {
	if slices.Contains(processSettings, key) {
		return readWhole(key, value)
	}
	address, name, dotted := strings.Cut(key, ".")
	group, ok := b.find(address)
	switch {
	case !ok && slices.Contains(settingNames, key):
		return refused("", "unknown-address", "write it as ADDRESS."+key, "setting "+quote(key)+" has no address")
	case !ok:
		hint := b.spell.address(address, b.addresses)
		if hint == "" && !dotted {
			hint = b.spell.Hint(key, processSettings)
		}
		return refused("", "unknown-address", hint, "setting "+quote(key)+": "+quote(address)+" does not exist")
	}
	s, known, err := readSetting(name, value)
	switch {
	case !known:
		return refused(address, "unknown-setting", b.nearSetting(name), "setting "+quote(key)+": "+quote(name)+" is no setting")
	case err != nil:
		return refused(address, "bad-setting", "", "setting "+quote(key)+": "+err.Error())
	}
	return given{address: address, settings: s}, s.faults(address, group)
}

func refused(address, code, hint, message string) (given, []Fault) {
	return given{}, []Fault{{Address: address, Code: code, Message: message, Hint: hint}}
}

func (b addressBook) nearSetting(name string) string {
	if slices.Contains(processSettings, name) {
		return "the process has one, not its steps: write " + name + " without an address"
	}
	if name == "env" || strings.HasPrefix(name, "env.") {
		return "the environment is what the definition says; give a param, which is in it as DEED_PARAM_X"
	}
	if strings.HasPrefix(name, "needs.") {
		return "what is needed is set as a whole, like needs=cpu=2,memory=4GiB"
	}
	if strings.HasPrefix(name, "limits.") {
		return "limits are set as a whole, like limits=memory=2GiB,cpu=10m"
	}
	if hint := b.spell.Hint(name, settingNames); hint != "" {
		return hint
	}
	return "there are " + strings.Join(settingNames, ", ") + ", and without an address " + strings.Join(processSettings, ", ")
}

func readWhole(name, value string) (given, []Fault) {
	whole, err := readProcessSetting(name, value)
	if err != nil {
		return refused("", "bad-setting", "", "setting "+quote(name)+": "+err.Error())
	}
	if faults := whole.faults(); len(faults) > 0 {
		return given{}, faults
	}
	return given{whole: whole}, nil
}

// readSetting reads a setting by its name; known is false for one that there is not.
func readSetting(name, value string) (s Settings, known bool, err error) {
	switch name {
	case "timeout":
		s.Timeout, err = limit(value, ParseDuration)
	case "retry.attempts":
		s.Attempts, err = read(value, parseWhole)
	case "retry.backoff":
		s.Backoff, err = read(value, ParseBackoff)
	case "retry.factor":
		s.Factor, err = read(value, ParseFactor)
	case "retry.jitter":
		s.Jitter, err = read(value, ParseJitter)
	case "parallelism":
		s.Parallelism, err = limit(value, parseWhole)
	case "tolerate":
		s.Tolerate, err = read(value, ParseTolerance)
	case "pool":
		s.Pool, err = limit(value, ParsePool)
	case "needs":
		s.Needs, err = limit(value, parseNeeds)
	case "rate":
		s.Rate, err = limit(value, ParseRate)
	case "cache":
		s.Cache, err = read(value, ParseCache)
	case "limits":
		s.Limits, err = limit(value, parseLimits)
	default:
		return s, false, nil
	}
	return s, true, err
}

func read[T any](text string, parse func(string) (T, error)) (*Setting[T], error) {
	v, err := parse(text)
	return &Setting[T]{Value: v}, err
}

// limit reads a setting that may be lifted.
func limit[T any](text string, parse func(string) (T, error)) (*Setting[T], error) {
	if text == none {
		return &Setting[T]{None: true}, nil
	}
	return read(text, parse)
}
