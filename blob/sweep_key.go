package blob

import (
	"strconv"
	"strings"
)

// Kind is what a blob is for, as its key says.
type Kind string

// The kinds of blobs.
const (
	KindData       Kind = "data"       // what executions wrote, and the lists of it
	KindLog        Kind = "log"        // what they printed
	KindSnapshot   Kind = "snapshot"   // states of long histories
	KindArchive    Kind = "archive"    // histories that were moved out of the event store
	KindInput      Kind = "input"      // inputs and files of definitions, by content: any process may share them
	KindView       Kind = "view"       // stored views; they can be made again
	KindCache      Kind = "cache"      // what tasks left for later ones that are equal
	KindUnfinished Kind = "unfinished" // what a writer that was killed left in a store of files
	KindRenewal    Kind = "renewal"    // says that an input is wanted again
	KindSweep      Kind = "sweep"      // says that a sweep is under way
	KindForeign    Kind = "foreign"    // nothing that deed wrote
)

// Classify says what a blob is for and which process it belongs to; "" for what
// belongs to none. It goes by the whole form of a key and not by its beginning
// alone, since a process may have the name of a folder, such as "logs".
func Classify(key string) (kind Kind, process string) {
	if final, ok := finalName(key); ok && isHex(key[len(final)+1:len(key)-len(".tmp")]) {
		if kind, process := Classify(final); kind != KindForeign {
			return KindUnfinished, process
		}
		return KindForeign, ""
	}
	if log, _, ok := parseChunkKey(key); ok && isProcess(log.Process) {
		return KindLog, log.Process
	}
	s := strings.Split(key, "/")
	switch {
	case isContent(s):
		return KindInput, ""
	case s[0] == cachePrefix && isContent(append([]string{"sha256"}, s[1:]...)):
		return KindCache, ""
	case s[0] == renewals && isContent(s[1:]):
		return KindRenewal, ""
	case s[0] == sweeps && len(s) == 2:
		return KindSweep, ""
	case len(s) == 3 && s[0] == "snapshots" && isProcess(s[1]) && len(s[2]) == 20 && isNumber(s[2]):
		return KindSnapshot, s[1]
	case isOutput(s) || isReport(s):
		return KindData, s[0]
	case len(s) == 2 && s[0] == "archives":
		name, ok := strings.CutSuffix(s[1], ".tar.gz")
		if id, version, numbered := strings.Cut(name, "."); ok && isProcess(id) && (!numbered || isNumber(version)) {
			return KindArchive, id
		}
	case len(s) > 1 && s[0] == "views":
		return KindView, ""
	}
	return KindForeign, ""
}

// isContent is sha256/ab/cdef… or inputs/ab/cdef….
func isContent(s []string) bool {
	return len(s) == 3 && (s[0] == "sha256" || s[0] == "inputs") && len(s[1]) == 2 && len(s[2]) == 62 && isHex(s[1]) && isHex(s[2])
}

// isOutput is <process>/<address>/<generation>/<index>/<attempt>-<nonce>/<n>.
func isOutput(s []string) bool {
	n := len(s)
	return n >= 6 && isProcess(s[0]) && isNumber(s[n-4]) && isNumber(s[n-3]) && isExecution(s[n-2])
}

// isReport is <process>/<address>/<generation>/reports/<attempt>-<nonce>.
func isReport(s []string) bool {
	n := len(s)
	return n >= 5 && isProcess(s[0]) && isNumber(s[n-3]) && s[n-2] == "reports" && isExecution(s[n-1])
}

func isExecution(s string) bool {
	attempt, nonce, ok := strings.Cut(s, "-")
	return ok && isNumber(attempt) && nonce != ""
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

func isHex(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
}

func isProcess(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-'
	})
}
