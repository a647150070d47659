package definition

import (
	"slices"
	"strings"

	"github.com/deedrun/deed/task"
)

// settingNames are what may follow an address: "count.retry.attempts".
var settingNames = []string{"timeout", "retry.attempts", "retry.backoff", "retry.factor", "retry.jitter", "parallelism", "tolerate"}

// processSetting is the setting of the process itself, which has no address.
const processSetting = "deadline"

// none lifts a limit.
const none = "none"

// given is one setting that was given as text: for an address, or the deadline.
type given struct {
	address  string
	settings Settings
	deadline *Setting[task.Duration]
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
	if key == processSetting {
		return readDeadline(value)
	}
	address, name, dotted := strings.Cut(key, ".")
	group, ok := b.find(address)
	switch {
	case !ok && slices.Contains(settingNames, key):
		return refused("", "unknown-address", "write it as ADDRESS."+key, "setting "+quote(key)+" has no address")
	case !ok:
		hint := b.spell.address(address, b.addresses)
		if hint == "" && !dotted {
			hint = b.spell.Hint(key, []string{processSetting})
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
	if name == processSetting {
		return "the process has one, not its steps: write " + processSetting + " without an address"
	}
	if hint := b.spell.Hint(name, settingNames); hint != "" {
		return hint
	}
	return "there are " + strings.Join(settingNames, ", ") + ", and " + processSetting + " without an address"
}

func readDeadline(value string) (given, []Fault) {
	deadline, err := limit(value, ParseDuration)
	switch {
	case err != nil:
		return refused("", "bad-setting", "", "setting "+quote(processSetting)+": "+err.Error())
	case deadline.Value <= 0 && !deadline.None:
		return refused("", "bad-deadline", "write a time like 2h, or none", "deadline "+deadline.Value.String()+" leaves the process no time")
	}
	return given{deadline: deadline}, nil
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
