package worker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// HandlerFunc executes one task. nil means done; an error fails the task, and
// says by [Permanent] whether trying again is pointless. What was written
// counts only if nil is returned.
type HandlerFunc func(ctx context.Context, t *Task) error

// reserved are the names of built-in handlers.
const reserved = "deed/"

// sealHandler is the built-in handler that merges what a name holds.
const sealHandler = reserved + "seal"

// Registry is the handlers that a worker offers, by name. The built-in ones
// are always there. It is safe for concurrent use.
type Registry struct {
	mu       sync.RWMutex
	handlers map[string]HandlerFunc
}

// NewRegistry is a registry of the built-in handlers.
func NewRegistry() *Registry {
	return &Registry{handlers: map[string]HandlerFunc{sealHandler: seal}}
}

// Handle registers a handler under the name by which steps run it, such as
// "words/count". Like http.Handle it panics if the name is taken, empty or
// begins with "deed/", or if there is no function: that is a mistake in the
// program, not in its input.
func Handle(reg *Registry, name string, handler HandlerFunc) {
	reg.mu.Lock()
	defer reg.mu.Unlock()
	switch {
	case name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' }):
		panic(fmt.Sprintf("worker.Handle: %q is no name for a handler: write it like \"words/count\"", name))
	case strings.HasPrefix(name, reserved):
		panic(fmt.Sprintf("worker.Handle: %q: names under %q are built in; choose another", name, reserved))
	case handler == nil:
		panic(fmt.Sprintf("worker.Handle: %q has no function", name))
	case reg.handlers[name] != nil:
		panic(fmt.Sprintf("worker.Handle: %q is registered already", name))
	}
	reg.handlers[name] = handler
}

// Names lists the handlers in order, without the built-in ones.
func (reg *Registry) Names() []string {
	reg.mu.RLock()
	defer reg.mu.RUnlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(reg.handlers)), func(name string) bool {
		return strings.HasPrefix(name, reserved)
	})
}

// lookup finds a handler. A missing one is worth another try: a worker with
// another registry may offer it.
func (reg *Registry) lookup(name string) (HandlerFunc, error) {
	reg.mu.RLock()
	handler := reg.handlers[name]
	reg.mu.RUnlock()
	if handler == nil {
		return nil, fmt.Errorf("handler %w", unknownName(name, "this worker offers", reg.Names()))
	}
	return handler, nil
}
