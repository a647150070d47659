package process

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

// digest writes all that a state, an event or an effect holds, hidden fields
// included, so that two of them can be compared. What makes no difference is
// left out: who may write to a node or a chunk, the zone of a time, and whether
// what is empty is nil.
func digest(v any) string {
	var b strings.Builder
	describeValue(&b, reflect.ValueOf(v))
	return b.String()
}

var (
	tokenType = reflect.TypeFor[*token]()
	timeType  = reflect.TypeFor[time.Time]()
)

func describeValue(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteByte('-')
			return
		}
		if v.Kind() == reflect.Interface {
			b.WriteString(v.Elem().Type().Name())
		}
		describeValue(b, v.Elem())
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			b.Write(v.Bytes())
			return
		}
		b.WriteByte('[')
		for i := range v.Len() {
			describeValue(b, v.Index(i))
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	case reflect.Map:
		var entries []string
		for _, key := range v.MapKeys() {
			var entry strings.Builder
			describeValue(&entry, v.MapIndex(key))
			entries = append(entries, fmt.Sprintf("%v=%s ", key, entry.String()))
		}
		slices.Sort(entries)
		fmt.Fprintf(b, "(%s)", strings.Join(entries, ""))
	case reflect.Struct:
		describeStruct(b, v)
	default:
		fmt.Fprint(b, v)
	}
}

func describeStruct(b *strings.Builder, v reflect.Value) {
	if v.Type() == timeType { // its nanoseconds and its seconds; the third field is the zone
		fmt.Fprintf(b, "%d+%d", v.Field(1).Int(), v.Field(0).Uint())
		return
	}
	b.WriteByte('{')
	for i := range v.NumField() {
		f := v.Field(i)
		empty := f.IsZero() || (f.Kind() == reflect.Slice || f.Kind() == reflect.Map) && f.Len() == 0
		if empty || f.Type() == tokenType {
			continue
		}
		var field strings.Builder
		describeValue(&field, f)
		if f.Kind() == reflect.Struct && field.String() == "{}" {
			continue // nothing in it but what is empty
		}
		b.WriteString(v.Type().Field(i).Name + ":" + field.String() + " ")
	}
	b.WriteByte('}')
}

func TestADigestSeesEveryDifferenceThatCounts(t *testing.T) {
	begun := decideAll(t, State{}, StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(3)}, At: start})
	again := decideAll(t, State{}, StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(3)}, At: start.Local()})
	require.Equal(t, digest(begun), digest(again))
	for name, other := range map[string]Command{
		"a bit of a ledger":  ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Of(2)},
		"a planned retry":    FailTasks{Address: "work", Attempt: 1, Tasks: task.Of(2), Verdict: task.Retry, At: start},
		"an ID of a command": PauseProcess{Asked: Asked{Command: "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, digest(begun), digest(decideAll(t, begun, other)))
		})
	}
}
