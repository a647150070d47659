package worker

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/deedrun/deed/task"
)

// HandlerFunc executes one task. nil means done; an error fails the task, and
// says by [Permanent] that trying again is pointless, or by [RetryAfter] when
// to. What was written counts only if nil is returned.
type HandlerFunc func(ctx context.Context, t *Task) error

// Registry is the handlers that a worker offers, by name, some in several
// versions. The built-in ones are always there. It is safe for concurrent use.
type Registry struct {
	mu       sync.RWMutex
	handlers map[string]HandlerFunc // by "name" and "name@version"
	newest   map[string]string      // of the names that have versions
	names    []string               // what Names returns
}

// NewRegistry is a registry of the built-in handlers.
func NewRegistry() *Registry {
	return &Registry{handlers: builtIn(), newest: map[string]string{}}
}

// Handle registers a handler under the name by which steps run it, such as
// "words/count", or one version of it, such as "words/count@2". A step that
// runs "words/count@2" gets exactly that; one that runs "words/count" gets the
// one without a version if there is one, else the newest, as people count: 10
// is newer than 9, and 1.10 than 1.9.
//
// Like http.Handle it panics if the name is taken, empty or begins with
// "deed/", if the version is none, or if there is no function: that is a
// mistake in the program, not in its input.
func Handle(reg *Registry, name string, handler HandlerFunc) {
	reg.mu.Lock()
	defer reg.mu.Unlock()
	bare, version, err := splitHandler(name)
	switch {
	case name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' }):
		panic(fmt.Sprintf("worker.Handle: %q is no name for a handler: write it like \"words/count\"", name))
	case err != nil:
		panic(fmt.Sprintf("worker.Handle: %q: %v: write it like \"words/count@2\"", name, err))
	case strings.HasPrefix(name, task.BuiltinPrefix):
		panic(fmt.Sprintf("worker.Handle: %q: names under %q are built in; choose another", name, task.BuiltinPrefix))
	case handler == nil:
		panic(fmt.Sprintf("worker.Handle: %q has no function", name))
	case reg.handlers[name] != nil:
		panic(fmt.Sprintf("worker.Handle: %q is registered already", name))
	}
	reg.handlers[name] = handler
	if version != "" && (reg.newest[bare] == "" || compareVersions(version, reg.newest[bare]) > 0) {
		reg.newest[bare] = version
	}
	for _, offered := range []string{bare, name} {
		if i, found := slices.BinarySearch(reg.names, offered); !found {
			reg.names = slices.Insert(slices.Clone(reg.names), i, offered)
		}
	}
}

// Names lists in order all that a step may run here, names and versions of
// them, without the built-in handlers. A name whose handlers all have versions
// is among them.
func (reg *Registry) Names() []string {
	reg.mu.RLock()
	defer reg.mu.RUnlock()
	return slices.Clone(reg.names)
}

// only is a registry of those handlers whose names match one of the patterns.
// What is registered later is not in it.
func (reg *Registry) only(patterns []string) (*Registry, error) {
	reg.mu.RLock()
	defer reg.mu.RUnlock()
	some := NewRegistry()
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return nil, fmt.Errorf("offer only %q: its wildcards make no sense: close the bracket", clip(p))
		}
		found := false
		for name, handler := range reg.handlers {
			if strings.HasPrefix(name, task.BuiltinPrefix) || !isOnly(p, name) {
				continue
			}
			found = true
			if some.handlers[name] == nil {
				Handle(some, name, handler)
			}
		}
		if !found {
			return nil, fmt.Errorf("offer only some handlers: %w", unknownName(p, "there are", reg.names))
		}
	}
	return some, nil
}

// isOnly matches a name with its version, and, if the pattern has none, without.
func isOnly(pattern, name string) bool {
	bare, _, _ := strings.Cut(name, "@")
	with, _ := path.Match(pattern, name)
	without, _ := path.Match(pattern, bare)
	return with || without
}

// Offers says why a step cannot run a handler here, and which one was probably
// meant; nil: it can.
func (reg *Registry) Offers(handler string) error {
	_, err := reg.lookup(handler)
	return err
}

// version is that of what runs a handler that names none; "": it has none.
func (reg *Registry) version(bare string) string {
	reg.mu.RLock()
	defer reg.mu.RUnlock()
	if reg.handlers[bare] != nil {
		return ""
	}
	return reg.newest[bare]
}

// versions are those that run what names none, of the names that have versions.
func (reg *Registry) versions() map[string]string {
	reg.mu.RLock()
	defer reg.mu.RUnlock()
	versions := maps.Clone(reg.newest)
	for name := range versions {
		if reg.handlers[name] != nil {
			versions[name] = ""
		}
	}
	return versions
}

// lookup finds a handler.
func (reg *Registry) lookup(handler string) (HandlerFunc, error) {
	reg.mu.RLock()
	defer reg.mu.RUnlock()
	if h := reg.handlers[handler]; h != nil {
		return h, nil
	}
	if version := reg.newest[handler]; version != "" {
		return reg.handlers[handler+"@"+version], nil
	}
	return nil, fmt.Errorf("handler %w", unknownName(handler, "this worker offers", reg.names))
}
