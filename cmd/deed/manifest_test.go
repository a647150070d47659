package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// manifest is an object of Kubernetes, as far as the tests look at it.
type manifest struct {
	Kind                         string
	Metadata                     struct{ Name string }
	Data                         map[string]string
	AutomountServiceAccountToken *bool
	Spec                         struct {
		ServiceName          string
		Replicas             int
		Selector             map[string]any
		PodSelector          selector
		PolicyTypes          []string
		Ingress, Egress      []traffic
		Ports                []servicePort
		Template             template
		VolumeClaimTemplates []struct{ Metadata struct{ Name string } }
		ScaleTargetRef       struct{ Name string }
		Triggers             []struct {
			Type     string
			Metadata map[string]any
		}
	}

	file string
}

type template struct {
	Metadata struct{ Labels map[string]string }
	Spec     pod
}

type selector struct{ MatchLabels map[string]string }

type traffic struct {
	From, To []struct{ PodSelector, NamespaceSelector *selector }
	Ports    []struct{ Port any }
}

type servicePort struct {
	Port       int
	TargetPort string
}

type pod struct {
	ServiceAccountName            string
	AutomountServiceAccountToken  *bool
	EnableServiceLinks            *bool
	TerminationGracePeriodSeconds int
	SecurityContext               struct {
		RunAsNonRoot   bool
		RunAsUser      int
		FSGroup        int
		SeccompProfile struct{ Type string }
	}
	Containers []container
	Volumes    []struct {
		Name                  string
		Secret                *struct{ SecretName string }
		ConfigMap             *struct{ Name string }
		PersistentVolumeClaim *struct{ ClaimName string }
	}
}

type container struct {
	Name, Image  string
	Args         []string
	EnvFrom      []struct{ ConfigMapRef struct{ Name string } }
	Ports        []struct{ Name string }
	StartupProbe *probe
	ReadinessProbe,
	LivenessProbe *probe
	Resources       struct{ Requests, Limits map[string]string }
	VolumeMounts    []struct{ Name, MountPath string }
	SecurityContext struct {
		AllowPrivilegeEscalation *bool
		ReadOnlyRootFilesystem   bool
		Capabilities             struct{ Drop []string }
	}
}

type probe struct {
	HTTPGet *struct{ Path, Port, Scheme string }
	Exec    struct{ Command []string }
}

// kustomization is one, as far as the tests look at it.
type kustomization struct {
	Resources, Components []string
	ConfigMapGenerator    []struct {
		Name  string
		Files []string
	}
	Patches []struct{ Patch string }
}

func (m manifest) String() string { return m.file + ": " + m.Kind + " " + m.Metadata.Name }

// selects is what the object selects pods by, whichever form it has.
func (m manifest) selects() map[string]string {
	labels := map[string]string{}
	from := m.Spec.Selector
	if inner, ok := from["matchLabels"].(map[string]any); ok {
		from = inner
	}
	for name, value := range from {
		labels[name], _ = value.(string)
	}
	for name, value := range m.Spec.PodSelector.MatchLabels {
		labels[name] = value
	}
	return labels
}

// selected reports whether pods with these labels are selected; what selects by
// nothing selects all.
func (s selector) selected(labels map[string]string) bool {
	for name, value := range s.MatchLabels {
		if labels[name] != value {
			return false
		}
	}
	return true
}

func (c container) probes() []probe {
	var all []probe
	for _, p := range []*probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if p != nil {
			all = append(all, *p)
		}
	}
	return all
}

// mounts reports whether a path lies in a volume.
func (c container) mounts(path string) bool {
	for _, v := range c.VolumeMounts {
		if path == v.MountPath || strings.HasPrefix(path, v.MountPath+"/") {
			return true
		}
	}
	return false
}

func (c container) hasPort(name any) bool {
	for _, p := range c.Ports {
		if p.Name == name {
			return true
		}
	}
	return false
}

type manifests []manifest

// readManifests reads all objects in deploy/kubernetes.
func readManifests(t *testing.T) manifests {
	t.Helper()
	var all manifests
	root := deploy("kubernetes")
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" || slices.Contains([]string{"kustomization.yaml", "names.yaml"}, d.Name()) {
			return err
		}
		name, err := filepath.Rel(root, path)
		require.NoError(t, err)
		for _, data := range documents(t, path) {
			m := manifest{file: filepath.ToSlash(name)}
			require.NoError(t, json.Unmarshal(data, &m), name)
			require.NotEmpty(t, m.Kind, name)
			all = append(all, m)
		}
		return nil
	}))
	require.NotEmpty(t, all)
	return all
}

func readKustomization(t *testing.T, dir string) (k kustomization) {
	t.Helper()
	require.NoError(t, json.Unmarshal(documents(t, deploy("kubernetes", dir, "kustomization.yaml"))[0], &k))
	return k
}

// documents are those of a YAML file as JSON, whose names need no case.
func documents(t *testing.T, path string) [][]byte {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	var all [][]byte
	for in := yaml.NewDecoder(f); ; {
		var document any
		err := in.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err, path)
		data, err := json.Marshal(document)
		require.NoError(t, err, path)
		all = append(all, data)
	}
}

// withPods are those that have a template of pods.
func (all manifests) withPods() (found manifests) {
	for _, m := range all {
		if len(m.Spec.Template.Spec.Containers) > 0 {
			found = append(found, m)
		}
	}
	return found
}

func (all manifests) of(kind string) (found manifests) {
	for _, m := range all {
		if m.Kind == kind {
			found = append(found, m)
		}
	}
	return found
}

func (all manifests) has(kind, name string) bool {
	return slices.ContainsFunc(all, func(m manifest) bool { return m.Kind == kind && m.Metadata.Name == name })
}

func (all manifests) named(t *testing.T, kind, name string) manifest {
	t.Helper()
	i := slices.IndexFunc(all, func(m manifest) bool { return m.Kind == kind && m.Metadata.Name == name })
	require.GreaterOrEqual(t, i, 0, "no %s %s", kind, name)
	return all[i]
}
