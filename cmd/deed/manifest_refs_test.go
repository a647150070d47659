package main

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// served are the paths at which roles and NATS answer probes.
var served = []string{"/healthz", "/readyz"}

func TestEveryPodOfKubernetesIsConfined(t *testing.T) {
	all := readManifests(t)
	no := func(b *bool) bool { return b != nil && !*b }
	for _, m := range all.withPods() {
		p := m.Spec.Template.Spec
		assert.True(t, p.SecurityContext.RunAsNonRoot, "%s runs as root", m)
		assert.Equal(t, 65532, p.SecurityContext.RunAsUser, "%s", m)
		assert.Equal(t, 65532, p.SecurityContext.FSGroup, "%s: secrets are its group's", m)
		assert.Equal(t, "RuntimeDefault", p.SecurityContext.SeccompProfile.Type, "%s", m)
		assert.True(t, no(p.AutomountServiceAccountToken), "%s is given a token of Kubernetes", m)
		assert.True(t, no(p.EnableServiceLinks), "%s: variables of services would look like flags", m)
		assert.True(t, no(all.named(t, "ServiceAccount", p.ServiceAccountName).AutomountServiceAccountToken), "%s", m)
		for _, c := range p.Containers {
			assert.True(t, no(c.SecurityContext.AllowPrivilegeEscalation), "%s", m)
			assert.True(t, c.SecurityContext.ReadOnlyRootFilesystem, "%s", m)
			assert.Equal(t, []string{"ALL"}, c.SecurityContext.Capabilities.Drop, "%s", m)
			assert.NotEmpty(t, c.Resources.Requests["cpu"], "%s", m)
			assert.NotEmpty(t, c.Resources.Limits["memory"], "%s", m)
			assert.NotNil(t, c.ReadinessProbe, "%s", m)
		}
	}
}

func TestEveryPodOfKubernetesHasABudgetAndARuleOfTheNetwork(t *testing.T) {
	all := readManifests(t)
	for _, m := range all.withPods() {
		labels := m.Spec.Template.Metadata.Labels
		selectsIt := func(by manifest) bool {
			return len(by.selects()) > 0 && selector{by.selects()}.selected(labels)
		}
		assert.True(t, selectsIt(m), "%s does not select its own pods", m)
		assert.True(t, slices.ContainsFunc(all.of("PodDisruptionBudget"), selectsIt), "%s has no budget", m)
		assert.True(t, slices.ContainsFunc(all.of("NetworkPolicy"), selectsIt), "%s has no policy of its own", m)
	}
	nothing := all.named(t, "NetworkPolicy", "nothing")
	require.Empty(t, nothing.selects(), "it is for all pods")
	require.Equal(t, []string{"Ingress", "Egress"}, nothing.Spec.PolicyTypes)
	require.Empty(t, nothing.Spec.Ingress)
	require.Empty(t, nothing.Spec.Egress)
}

func TestWhatKubernetesConnectsIsThere(t *testing.T) {
	all := readManifests(t)
	pods := func(labels map[string]string) (found []template) {
		for _, m := range all.withPods() {
			if (selector{labels}).selected(m.Spec.Template.Metadata.Labels) {
				found = append(found, m.Spec.Template)
			}
		}
		return found
	}
	offered := func(in []template, port any) bool {
		return slices.ContainsFunc(in, func(p template) bool { return p.Spec.Containers[0].hasPort(port) })
	}
	for _, s := range all.of("Service") {
		behind := pods(s.selects())
		assert.NotEmpty(t, behind, "%s: nothing is behind it", s)
		for _, p := range s.Spec.Ports {
			assert.True(t, offered(behind, p.TargetPort), "%s: no pod has a port %s", s, p.TargetPort)
		}
	}
	for _, policy := range all.of("NetworkPolicy") {
		for _, in := range policy.Spec.Ingress {
			for _, p := range in.Ports {
				assert.True(t, offered(pods(policy.selects()), p.Port), "%s: its pods have no port %v", policy, p.Port)
			}
			for _, from := range in.From {
				assert.True(t, from.PodSelector == nil || len(pods(from.PodSelector.MatchLabels)) > 0, "%s: nobody is let in", policy)
			}
		}
		for _, out := range policy.Spec.Egress {
			for _, to := range out.To {
				if to.PodSelector == nil {
					continue
				}
				for _, p := range out.Ports {
					assert.True(t, offered(pods(to.PodSelector.MatchLabels), p.Port), "%s: nobody has the port %v that it leads to", policy, p.Port)
				}
			}
		}
	}
}

func TestWhatPodsOfKubernetesReferToIsThere(t *testing.T) {
	all := readManifests(t)
	secrets := readDeploy(t, "kubernetes", "secrets")
	for _, m := range all.withPods() {
		var volumes []string
		for _, v := range m.Spec.Template.Spec.Volumes {
			volumes = append(volumes, v.Name)
			switch {
			case v.Secret != nil && v.Secret.SecretName != "deed-secrets": // those that definitions refer to are a person's own
				assert.Contains(t, secrets, "\nsecret "+v.Secret.SecretName+" ", "%s: deploy/kubernetes/secrets does not make it", m)
			case v.ConfigMap != nil:
				assert.True(t, generated(t, v.ConfigMap.Name) || all.has("ConfigMap", v.ConfigMap.Name), "%s: no ConfigMap %s", m, v.ConfigMap.Name)
			case v.PersistentVolumeClaim != nil:
				assert.True(t, all.has("PersistentVolumeClaim", v.PersistentVolumeClaim.ClaimName), "%s", m)
			}
		}
		for _, c := range m.Spec.VolumeClaimTemplates {
			volumes = append(volumes, c.Metadata.Name)
		}
		for _, c := range m.Spec.Template.Spec.Containers {
			for _, mount := range c.VolumeMounts {
				assert.Contains(t, volumes, mount.Name, "%s mounts no volume of its", m)
			}
			for _, p := range c.probes() {
				if p.HTTPGet == nil {
					continue
				}
				path, _, _ := strings.Cut(p.HTTPGet.Path, "?")
				assert.Contains(t, served, path, "%s", m)
				assert.True(t, c.hasPort(p.HTTPGet.Port), "%s has no port %s to probe", m, p.HTTPGet.Port)
			}
		}
		if m.Kind == "StatefulSet" {
			assert.True(t, all.has("Service", m.Spec.ServiceName), "%s", m)
		}
	}
}

// generated reports whether a kustomization makes a ConfigMap of that name.
func generated(t *testing.T, name string) bool {
	for _, dir := range kustomizations(t) {
		for _, g := range readKustomization(t, dir).ConfigMapGenerator {
			if g.Name == name {
				return true
			}
		}
	}
	return false
}

// kustomizations are the folders that have one.
func kustomizations(t *testing.T) (dirs []string) {
	t.Helper()
	root := deploy("kubernetes")
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "kustomization.yaml" {
			dir, err := filepath.Rel(root, filepath.Dir(path))
			require.NoError(t, err)
			dirs = append(dirs, dir)
		}
		return err
	}))
	return dirs
}

func TestEveryFileForKubernetesIsListedAndWhatIsListedExists(t *testing.T) {
	listed := map[string]bool{}
	for _, dir := range kustomizations(t) {
		k := readKustomization(t, dir)
		for _, name := range append(k.Resources, k.Components...) {
			path := filepath.Join(dir, name)
			if filepath.Ext(name) != ".yaml" {
				path = filepath.Join(path, "kustomization.yaml")
			}
			assert.FileExists(t, deploy("kubernetes", path), "listed in %s", dir)
			listed[filepath.ToSlash(path)] = true
		}
		for _, g := range k.ConfigMapGenerator {
			for _, name := range g.Files {
				assert.FileExists(t, deploy("kubernetes", dir, name))
			}
		}
	}
	for _, m := range readManifests(t) {
		assert.True(t, listed[m.file], "%s is listed nowhere", m.file)
	}
}

func TestTheNodesOfNATSAreWhereTheRolesLookForThem(t *testing.T) {
	all := readManifests(t)
	nodes := all.named(t, "StatefulSet", "nats")
	addresses := strings.Split(all.named(t, "ConfigMap", "deed").Data["DEED_NATS"], ",")
	require.Len(t, addresses, nodes.Spec.Replicas)
	config := readDeploy(t, "kubernetes", "nats", "nats.conf")
	for i, address := range addresses {
		host := nodes.Metadata.Name + "-" + string(rune('0'+i)) + "." + nodes.Spec.ServiceName
		require.Equal(t, "tls://"+host+":4222", address)
		require.Contains(t, config, `"nats://`+host+`:6222"`)
	}
}
