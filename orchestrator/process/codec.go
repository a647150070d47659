package process

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// Stored is an event as it lies in the store: a type name and a schema number
// that never change their meaning, and JSON.
type Stored struct {
	Type   string
	Schema int
	Data   []byte
}

// codec knows the stored form of each event type of this version. When the
// stored form of an event changes, its schema number rises, and an upcaster is
// added that turns the data of the schema before into the data of this one.
type codec struct {
	byName map[string]*eventType
	byType map[reflect.Type]*eventType
}

type eventType struct {
	name   string
	schema int
	decode func([]byte) (Event, error)
	upcast map[int]upcaster // by the schema it reads; it writes the next
	holds  func(Event) int  // the oldest schema that holds all of an event; nil: the newest
}

type upcaster func(data []byte) ([]byte, error)

func stored[E Event](name string, schema int, upcast map[int]upcaster) (reflect.Type, *eventType) {
	return reflect.TypeFor[E](), &eventType{name: name, schema: schema, upcast: upcast, decode: func(data []byte) (Event, error) {
		var e E
		err := json.Unmarshal(data, &e)
		return e, err
	}}
}

// defining is the stored form of an event that carries a definition: its schema
// is that of the definition.
func defining[E Event](name string, of func(E) definition.Definition) (reflect.Type, *eventType) {
	t, e := stored[E](name, definitionSchema, map[int]upcaster{1: unchanged, 2: unchanged, 3: unchanged})
	e.holds = func(e Event) int { return schemaOf(of(e.(E))) }
	return t, e
}

func newCodec() *codec {
	c := &codec{byName: map[string]*eventType{}, byType: map[reflect.Type]*eventType{}}
	started, of := defining("process-started", func(e ProcessStarted) definition.Definition { return e.Definition })
	root := of.holds
	of.holds = func(e Event) int {
		if e := e.(ProcessStarted); e.Parent != nil || isElsewhere(e.Inputs) {
			return definitionSchema
		}
		return root(e)
	}
	c.add(started, of)
	c.add(stored[StepStarted]("step-started", 1, nil))
	c.add(stored[TasksScheduled]("tasks-scheduled", 1, nil))
	confirmed, lists := stored[TasksConfirmed]("tasks-confirmed", 2, map[int]upcaster{1: unchanged}) // 2: of a child, or of data elsewhere
	lists.holds = func(e Event) int {
		wrote := func(p task.Produced) bool { return p.Ref != nil && p.Ref.Elsewhere() }
		if e := e.(TasksConfirmed); len(e.Lists) > 0 || slices.ContainsFunc(e.Parts, wrote) {
			return 2
		}
		return 1
	}
	c.add(confirmed, lists)
	c.add(stored[TasksReused]("tasks-reused", 1, nil))
	c.add(stored[StepSkipped]("step-skipped", 1, nil))
	c.add(stored[RepeatEnded]("repeat-ended", 1, nil))
	c.add(stored[TasksFailed]("tasks-failed", 1, nil))
	c.add(stored[TasksRetryPlanned]("tasks-retry-planned", 1, nil))
	c.add(stored[TasksLost]("tasks-lost", 1, nil))
	c.add(stored[TaskTimedOut]("task-timed-out", 1, nil))
	c.add(stored[TasksSkipped]("tasks-skipped", 1, nil))
	c.add(stored[StepCompleted]("step-completed", 1, nil))
	c.add(stored[ProcessCompleted]("process-completed", 1, nil))
	c.add(stored[ProcessFailed]("process-failed", 1, nil))
	c.add(stored[ProcessDeadlineMissed]("process-deadline-missed", 1, nil))
	c.add(stored[ProcessCancelled]("process-cancelled", 1, nil))
	c.add(stored[ProcessPaused]("process-paused", 1, nil))
	c.add(stored[ProcessResumed]("process-resumed", 1, nil))
	c.add(stored[ProcessRetried]("process-retried", 1, nil))
	c.add(stored[ProcessRestarted]("process-restarted", 1, nil))
	c.add(defining("process-revised", func(e ProcessRevised) definition.Definition { return e.Definition }))
	return c
}

func (c *codec) add(t reflect.Type, e *eventType) {
	c.byName[e.name], c.byType[t] = e, e
}

var current = newCodec()

// EventTypes lists the types of all events.
func EventTypes() []reflect.Type {
	types := slices.Collect(maps.Keys(current.byType))
	slices.SortFunc(types, func(a, b reflect.Type) int { return strings.Compare(a.Name(), b.Name()) })
	return types
}

// Encode is the stored form of an event.
func Encode(e Event) (Stored, error) { return current.encode(e) }

// Decode reads a stored event, of this schema or an older one. An event that a
// newer version of deed wrote is an error that says so.
func Decode(s Stored) (Event, error) { return current.decode(s) }

func (c *codec) encode(e Event) (Stored, error) {
	t, ok := c.byType[reflect.TypeOf(e)]
	if !ok {
		return Stored{}, fmt.Errorf("encode event: type %T has no stored form", e)
	}
	data, err := json.Marshal(e)
	if err != nil {
		return Stored{}, fmt.Errorf("encode event %s: %w", t.name, err)
	}
	schema := t.schema
	if t.holds != nil {
		schema = t.holds(e)
	}
	return Stored{Type: t.name, Schema: schema, Data: data}, nil
}

func (c *codec) decode(s Stored) (Event, error) {
	t, ok := c.byName[s.Type]
	if !ok {
		return nil, fmt.Errorf("decode event: this version of deed does not know type %q: a newer one wrote it; use that version", s.Type)
	}
	if s.Schema > t.schema {
		return nil, fmt.Errorf("decode event %s: its schema is %d, this version of deed knows up to %d: a newer one wrote it; use that version",
			s.Type, s.Schema, t.schema)
	}
	data := s.Data
	for schema := s.Schema; schema < t.schema; schema++ {
		up, ok := t.upcast[schema]
		if !ok {
			return nil, fmt.Errorf("decode event %s: nothing reads its schema %d", s.Type, schema)
		}
		var err error
		if data, err = up(data); err != nil {
			return nil, fmt.Errorf("decode event %s: raise schema %d: %w", s.Type, schema, err)
		}
	}
	e, err := t.decode(data)
	if err != nil {
		return nil, fmt.Errorf("decode event %s (schema %d): %w", s.Type, s.Schema, err)
	}
	return e, nil
}
