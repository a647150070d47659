package process

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// wireCommand is a command as it travels: only those that persons and programs
// send do. The others are made of reports and timers by the shell.
type wireCommand struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// wireTypes are the commands that travel, by the name under which they do.
var wireTypes = map[string]reflect.Type{
	"start-process":  reflect.TypeFor[StartProcess](),
	"cancel-process": reflect.TypeFor[CancelProcess](),
	"pause-process":  reflect.TypeFor[PauseProcess](),
	"resume-process": reflect.TypeFor[ResumeProcess](),
	"retry-tasks":    reflect.TypeFor[RetryTasks](),
	"restart-from":   reflect.TypeFor[RestartFrom](),
	"revise-process": reflect.TypeFor[ReviseProcess](),
}

// CommandTypes lists the types of all commands.
func CommandTypes() []reflect.Type {
	types := []reflect.Type{
		reflect.TypeFor[ConfirmTasks](), reflect.TypeFor[ReuseTasks](), reflect.TypeFor[FailTasks](), reflect.TypeFor[LoseTasks](),
		reflect.TypeFor[TryTimeoutTask](), reflect.TypeFor[FireTimer](), reflect.TypeFor[FireDeadline](),
	}
	for _, t := range wireTypes {
		types = append(types, t)
	}
	return types
}

// EncodeCommand is the wire form of a command that a person sends.
func EncodeCommand(c Command) ([]byte, error) {
	for name, t := range wireTypes {
		if t != reflect.TypeOf(c) {
			continue
		}
		data, err := json.Marshal(c)
		if err != nil {
			return nil, fmt.Errorf("encode command %s: %w", name, err)
		}
		return json.Marshal(wireCommand{Type: name, Data: data})
	}
	return nil, fmt.Errorf("encode command: %T is not one that travels", c)
}

// DecodeCommand reads what EncodeCommand wrote. The command happens when it is
// received: at is its time, whatever the sender says.
func DecodeCommand(data []byte, at time.Time) (Command, error) {
	var w wireCommand
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, fmt.Errorf("decode command: %w", err)
	}
	t, ok := wireTypes[w.Type]
	if !ok {
		return nil, fmt.Errorf("decode command: this version of deed does not know %q", w.Type)
	}
	c := reflect.New(t)
	if err := json.Unmarshal(w.Data, c.Interface()); err != nil {
		return nil, fmt.Errorf("decode command %s: %w", w.Type, err)
	}
	c.Elem().FieldByName("At").Set(reflect.ValueOf(at))
	return c.Elem().Interface().(Command), nil
}
