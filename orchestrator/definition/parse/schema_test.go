package parse_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition/parse"
)

func TestTheShippedSchemaIsFresh(t *testing.T) {
	made, err := parse.Schema()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("schema.json", made, 0o644))
	}
	shipped, err := os.ReadFile("schema.json")
	require.NoError(t, err)
	assert.Equal(t, string(shipped), string(made), "run the tests of this package with -update")
}

func TestTheSchemaAcceptsGoodDefinitions(t *testing.T) {
	schema := compile(t)
	for _, path := range definitions(t, "good") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			doc, ok := document(t, path)
			require.True(t, ok)
			assert.NoError(t, schema.Validate(doc))
		})
	}
}

// What a schema cannot say: who writes a name, which addresses exist, and what
// the text of a document is like.
var beyondTheSchema = []string{
	"bad-substitution", "cycle", "cycle-of-itself", "cycle-through-after", "each-param", "merge-keys",
	"misspelled-data", "several-documents", "step-instead-of-data", "two-writers", "unused", "writes-input",
	"child-of-itself", "standard",
}

func TestTheSchemaRefusesBrokenDefinitions(t *testing.T) {
	schema := compile(t)
	for _, path := range definitions(t, "broken") {
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		t.Run(name, func(t *testing.T) {
			doc, ok := document(t, path)
			if !ok {
				t.Skip("not even a document")
			}
			err := schema.Validate(doc)
			if slices.Contains(beyondTheSchema, name) {
				assert.NoError(t, err)
			} else {
				assert.Error(t, err)
			}
		})
	}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	made, err := parse.Schema()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(made))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	const url = "https://github.com/deedrun/deed/definition/v1"
	require.NoError(t, c.AddResource(url, doc))
	schema, err := c.Compile(url)
	require.NoError(t, err)
	return schema
}

// document reads a file as an editor does; ok is false if it cannot.
func document(t *testing.T, path string) (doc any, ok bool) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	if filepath.Ext(path) != ".json" {
		var v any
		if yaml.Unmarshal(data, &v) != nil {
			return nil, false
		}
		if data, err = json.Marshal(v); err != nil {
			return nil, false
		}
	}
	doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(data))
	return doc, err == nil
}
