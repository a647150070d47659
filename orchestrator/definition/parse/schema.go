package parse

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// schemaURL is the identity of the schema; nothing is fetched from there.
const schemaURL = "https://github.com/deedrun/deed/definition/v1"

// Schema is the JSON Schema (2020-12) of a definition, for editors: it
// completes keys and checks forms. What names refer to, only Check knows.
func Schema() ([]byte, error) {
	root, badRoot := jsonschema.For[document](options())
	step, badStep := jsonschema.For[stepForm](options())
	group, badGroup := jsonschema.For[groupForm](options())
	settings, badSettings := jsonschema.For[settingsForm](options())
	if err := errors.Join(badRoot, badStep, badGroup, badSettings); err != nil {
		return nil, fmt.Errorf("make schema: %w", err)
	}
	step.OneOf = []*jsonschema.Schema{{Required: []string{"run"}}, {Required: []string{"sh"}}, {Required: []string{"process"}}}
	// What only a group has that is a process of its own.
	process := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Required: []string{"each"}}, {Required: []string{"repeat"}}}}
	group.DependentSchemas = map[string]*jsonschema.Schema{}
	for _, key := range []string{"in", "out", "after", "params", "parallelism", "rate"} {
		group.DependentSchemas[key] = process
	}
	step.DependentRequired = map[string][]string{"repeat": {"process"}}
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.ID = schemaURL
	root.Title = "deed process definition"
	root.Defs = map[string]*jsonschema.Schema{
		"group":    group,
		"settings": mapOf(matching(definition.AddressPattern), settings, 0),
		"step":     step,
		// By the key `steps`, so that a complaint is about the one that was meant.
		"steps": mapOf(matching(definition.NamePattern), &jsonschema.Schema{
			Type: "object",
			If:   &jsonschema.Schema{Required: []string{"steps"}},
			Then: &jsonschema.Schema{Ref: "#/$defs/group"},
			Else: &jsonschema.Schema{Ref: "#/$defs/step"},
		}, 1),
	}
	compact, err := json.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("make schema: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		return nil, fmt.Errorf("make schema: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// options says how each type of form.go is written.
func options() *jsonschema.ForOptions {
	const (
		time    = `(0|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+)`
		percent = `(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%`
		name    = `[a-z][a-z0-9_-]{0,62}`
		byKey   = ` +by +key( +into +[1-9][0-9]{0,5})?`
		fanned  = `^ *` + name + `(` + byKey + `)? *$`
		joined  = `^ *\[? *` + name + `( *, *` + name + `)+ *\]?` + byKey + ` *$`
	)
	handler := matching(definition.HandlerPattern)
	handler.MaxLength = jsonschema.Ptr(definition.MaxHandler + len("@") + definition.MaxVersion)
	oneName := mapOf(matching(definition.NamePattern), matching(fanned), 1)
	oneName.MaxProperties = jsonschema.Ptr(1)
	severalNames := mapOf(matching(definition.NamePattern), matching(`^ *`+name+byKey+` *$`), 2)
	timespan := matching("^" + time + "$")
	timespan.Not = matching(`^[^1-9]*$`) // no zero
	named := matching(definition.PoolPattern)
	named.Not = &jsonschema.Schema{Enum: []any{"none"}}
	command := listOf(&jsonschema.Schema{Types: []string{"string", "number", "boolean"}}, false)
	command.MinItems = jsonschema.Ptr(1)
	return &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[formatVersion](): {Type: "string", Enum: []any{"v1"}},
		reflect.TypeFor[processName]():   matching(definition.ProcessPattern),
		reflect.TypeFor[version]():       {Types: []string{"string", "number"}},
		reflect.TypeFor[names]():         listOf(matching(definition.NamePattern), true),
		reflect.TypeFor[params]():        mapOf(matching(definition.NamePattern), &jsonschema.Schema{Types: []string{"string", "number", "boolean", "null"}}, 0),
		reflect.TypeFor[filePaths]():     listOf(matching(`^[^/\\]+(/[^/\\]+)*$`), true),
		reflect.TypeFor[runner]():        {OneOf: []*jsonschema.Schema{handler, command}},
		reflect.TypeFor[script]():        matching(`\S`),
		reflect.TypeFor[fanOut]():        {OneOf: []*jsonschema.Schema{matching(fanned), matching(joined), oneName, severalNames}},
		reflect.TypeFor[wiring](): {OneOf: []*jsonschema.Schema{
			listOf(matching(definition.NamePattern), true),
			mapOf(matching(definition.NamePattern), matching(definition.NamePattern), 0),
		}},
		reflect.TypeFor[written]():     outputs(),
		reflect.TypeFor[condition]():   {OneOf: []*jsonschema.Schema{matching(`\S`), {Type: "boolean"}}},
		reflect.TypeFor[given]():       mapOf(matching(definition.NamePattern), &jsonschema.Schema{Types: []string{"string", "number", "boolean"}}, 0),
		reflect.TypeFor[carried]():     mapOf(matching(definition.NamePattern), matching(definition.NamePattern), 0),
		reflect.TypeFor[yes]():         {OneOf: []*jsonschema.Schema{{Type: "boolean"}, {Enum: []any{"refresh"}}}},
		reflect.TypeFor[filePath]():    matching(`^[^/\\]+(/[^/\\]+)*$`),
		reflect.TypeFor[addresses]():   listOf(matching(definition.AddressPattern), false),
		reflect.TypeFor[nodes]():       {Ref: "#/$defs/steps"},
		reflect.TypeFor[settingsMap](): {Ref: "#/$defs/settings"},
		reflect.TypeFor[duration]():    {OneOf: []*jsonschema.Schema{matching("^" + time + "$"), {Type: "integer", Enum: []any{0}}}},
		reflect.TypeFor[backoff]():     matching("^" + time + `( *\.\. *` + time + ")?$"),
		reflect.TypeFor[span]():        timespan,
		reflect.TypeFor[growth]():      {Type: "number", Minimum: jsonschema.Ptr(1.0), Maximum: jsonschema.Ptr(float64(definition.MaxFactor))},
		reflect.TypeFor[share]():       {OneOf: []*jsonschema.Schema{{Type: "number", Minimum: jsonschema.Ptr(0.0), Maximum: jsonschema.Ptr(1.0)}, matching("^" + percent + "$")}},
		reflect.TypeFor[tolerance]():   {OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: jsonschema.Ptr(0.0)}, matching("^(all|[0-9]+|" + percent + ")$")}},
		reflect.TypeFor[positive]():    {Type: "integer", Minimum: jsonschema.Ptr(1.0)},
		reflect.TypeFor[weight]():      {Type: "integer", Minimum: jsonschema.Ptr(1.0), Maximum: jsonschema.Ptr(float64(definition.MaxWeight))},
		reflect.TypeFor[pool]():        named,
		reflect.TypeFor[rate]():        matching(`^ *0*[1-9][0-9]* */ *([smhd]|[1-9][0-9]*d|` + time + `) *$`),
		reflect.TypeFor[env]():         environment(),
		reflect.TypeFor[cores]():       {OneOf: []*jsonschema.Schema{{Type: "number", ExclusiveMinimum: jsonschema.Ptr(0.0), Maximum: jsonschema.Ptr(float64(definition.MaxCPU))}, matching(`^[0-9]+(\.[0-9]{1,3})?$`)}},
		reflect.TypeFor[devices]():     {OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: jsonschema.Ptr(1.0), Maximum: jsonschema.Ptr(float64(definition.MaxGPU))}, matching(`^[1-9][0-9]*$`)}},
		reflect.TypeFor[size]():        matching(`^[0-9]+(\.[0-9]+)? *([KMGT]i?)?B$`),
	}}
}

// outputs are names, or local names with what they stand for and their types.
func outputs() *jsonschema.Schema {
	name := matching(definition.NamePattern)
	typed := &jsonschema.Schema{
		Type: "object", MinProperties: jsonschema.Ptr(1), AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
		Properties: map[string]*jsonschema.Schema{
			"json": {Type: "string", Enum: []any{"number", "string", "boolean", "object", "array"}},
			"as":   name,
		},
	}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		listOf(name, true),
		mapOf(name, &jsonschema.Schema{OneOf: []*jsonschema.Schema{name, typed}}, 0),
	}}
}

// environment is that of variables by name.
func environment() *jsonschema.Schema {
	name := matching(task.VariablePattern)
	name.Not = matching("^" + task.OwnVariables)
	secret := &jsonschema.Schema{
		Type: "object", Required: []string{"secret"}, AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
		Properties: map[string]*jsonschema.Schema{"secret": matching(task.SecretPattern)},
	}
	return mapOf(name, &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Types: []string{"string", "number", "boolean"}}, secret}}, 0)
}

func matching(pattern string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: pattern}
}

func listOf(item *jsonschema.Schema, unique bool) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: item, UniqueItems: unique}
}

func mapOf(key, value *jsonschema.Schema, least int) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", PropertyNames: key, AdditionalProperties: value}
	if least > 0 {
		s.MinProperties = jsonschema.Ptr(least)
	}
	return s
}
