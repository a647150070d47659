// Command schemas writes the JSON Schemas of Kubernetes and KEDA that deploy/kubernetes/check holds the manifests to,
// for kubeconform. They are made from the modules of both, which Go's proxy has, and are strict: what Kubernetes does
// not know is an error.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Where the schemas come from.
const (
	kubernetes = "k8s.io/kubernetes@v1.36.3"
	keda       = "github.com/kedacore/keda/v2@v2.21.0"
)

type object = map[string]any

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: schemas DIR")
	}
	if err := write(context.Background(), os.Args[1]); err != nil {
		log.Fatalln("schemas:", err)
	}
}

func write(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := ofKubernetes(ctx, dir); err != nil {
		return fmt.Errorf("%s: %w", kubernetes, err)
	}
	if err := ofKEDA(ctx, dir); err != nil {
		return fmt.Errorf("%s: %w", keda, err)
	}
	return nil
}

// ofKubernetes writes a file a kind, which all refer to one with the definitions.
func ofKubernetes(ctx context.Context, dir string) error {
	module, err := download(ctx, kubernetes)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(module, "api", "openapi-spec", "swagger.json"))
	if err != nil {
		return err
	}
	var swagger struct {
		Definitions map[string]object `json:"definitions"`
	}
	if err := json.Unmarshal(data, &swagger); err != nil {
		return err
	}
	for name, definition := range swagger.Definitions {
		if strings.HasSuffix(name, ".IntOrString") {
			swagger.Definitions[name] = object{"type": []string{"string", "integer"}}
			continue
		}
		strict(definition)
	}
	const shared = "_definitions.json"
	if err := save(filepath.Join(dir, shared), object{"definitions": swagger.Definitions}); err != nil {
		return err
	}
	for name, definition := range swagger.Definitions {
		kinds, _ := definition["x-kubernetes-group-version-kind"].([]any)
		for _, kind := range kinds {
			k := kind.(object)
			file := fileName(fmt.Sprint(k["kind"]), fmt.Sprint(k["group"]), fmt.Sprint(k["version"]))
			if err := save(filepath.Join(dir, file), object{"$ref": shared + "#/definitions/" + name}); err != nil {
				return err
			}
		}
	}
	return nil
}

func ofKEDA(ctx context.Context, dir string) error {
	module, err := download(ctx, keda)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(module, "config", "crd", "bases", "keda.sh_scaledobjects.yaml"))
	if err != nil {
		return err
	}
	var crd struct {
		Spec struct {
			Group    string
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Schema struct {
					OpenAPI object `yaml:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(data, &crd); err != nil {
		return err
	}
	for _, version := range crd.Spec.Versions {
		strict(version.Schema.OpenAPI)
		if err := save(filepath.Join(dir, fileName(crd.Spec.Names.Kind, crd.Spec.Group, version.Name)), version.Schema.OpenAPI); err != nil {
			return err
		}
	}
	return nil
}

// strict forbids properties that are not listed, in a schema and all within it.
// What says of itself that it takes others keeps them, and metadata of a resource
// of somebody else's is whatever Kubernetes says that it is.
func strict(schema object) {
	properties, has := schema["properties"].(object)
	_, open := schema["additionalProperties"]
	if has && !open && schema["x-kubernetes-preserve-unknown-fields"] != true {
		schema["additionalProperties"] = false
	}
	if schema["x-kubernetes-int-or-string"] == true {
		schema["type"] = []string{"string", "integer"}
		delete(schema, "anyOf")
	}
	for _, property := range properties {
		if inner, ok := property.(object); ok {
			strict(inner)
		}
	}
	for _, name := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[name].(object); ok {
			strict(inner)
		}
	}
}

// fileName is what kubeconform looks for, given {{.ResourceKind}}{{.KindSuffix}}.
func fileName(kind, group, version string) string {
	name := strings.ToLower(kind)
	if group, _, _ = strings.Cut(group, "."); group != "" {
		name += "-" + group
	}
	return name + "-" + strings.ToLower(version) + ".json"
}

// download is the folder of a module.
func download(ctx context.Context, module string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir() // the module that it is run in need not know of it
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var at struct {
		Dir   string `json:"Dir"`
		Error string `json:"Error"`
	}
	if decoding := json.NewDecoder(bytes.NewReader(out)).Decode(&at); decoding != nil && err == nil {
		err = decoding
	}
	if at.Error != "" {
		return "", fmt.Errorf("download: %s", at.Error)
	}
	return at.Dir, err
}

func save(name string, schema object) error {
	data, err := json.Marshal(schema)
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}
