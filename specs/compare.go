package specs

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// plain takes out of events what the words of this package leave open: when
// it was, which worker, and the sizes and digests that follow from the parts.
func plain(events []process.Event) []process.Event {
	out := make([]process.Event, len(events))
	for i, e := range events {
		v := reflect.New(reflect.TypeOf(e)).Elem()
		v.Set(reflect.ValueOf(e))
		if planned, ok := e.(process.TasksRetryPlanned); ok {
			// What counts is the wait, not the wall clock.
			v.FieldByName("Due").Set(reflect.ValueOf(time.Time{}.Add(planned.Due.Sub(planned.At))))
		}
		for _, name := range []string{"At", "Worker", "Elapsed"} {
			if f := v.FieldByName(name); f.IsValid() {
				f.SetZero()
			}
		}
		if f := v.FieldByName("Data"); f.IsValid() {
			f.Set(reflect.ValueOf(plainData(f.Interface().(map[string]task.Dataset))))
		}
		out[i] = v.Interface().(process.Event)
	}
	return out
}

// timeOf is the time that an event or a command carries.
func timeOf(message any) time.Time {
	at, _ := reflect.ValueOf(message).FieldByName("At").Interface().(time.Time)
	return at
}

func plainData(data map[string]task.Dataset) map[string]task.Dataset {
	out := make(map[string]task.Dataset, len(data))
	for name, d := range data {
		d.Digest, d.Bytes = "", 0
		out[name] = d
	}
	return out
}

// same compares stored forms: an empty list and none are the same there.
func same(want, got []process.Event) bool { return structure(want) == structure(got) }

func structure(events []process.Event) string {
	var b strings.Builder
	for _, e := range events {
		name := reflect.TypeOf(e).Name()
		data, err := json.MarshalIndent(e, "  ", "  ")
		if err != nil {
			data = []byte(err.Error())
		}
		b.WriteString("  " + name + " " + string(data) + "\n")
	}
	if len(events) == 0 {
		return "  nothing\n"
	}
	return b.String()
}
