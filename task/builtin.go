package task

import "strings"

// BuiltinPrefix begins the names of the handlers that deed brings along.
const BuiltinPrefix = "deed/"

// The handlers by which the orchestration has something done for itself. Every
// worker has them.
const (
	SealHandler  = BuiltinPrefix + "seal"  // merges what reports say of a name: Work.Seal, Result.Sealed
	ChildHandler = BuiltinPrefix + "child" // looks up what a child reads where the list of elements is in a manifest: Result.Inputs, as Prepared
)

// builtinVersion is the version of all handlers that deed brings along. It rises
// when one of them comes to write something else.
const builtinVersion = "1"

// HandlerVersion is the version of a handler, where its name tells: it is pinned,
// or one that deed brings along. Programs have none.
func HandlerVersion(handler string) (version string, known bool) {
	switch _, pinned, ok := strings.Cut(handler, "@"); {
	case ok:
		return pinned, true
	case strings.HasPrefix(handler, BuiltinPrefix):
		return builtinVersion, true
	}
	return "", handler == ""
}
