package main

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// composeFile is deploy/compose/compose.yaml, as far as the tests look at it.
type composeFile struct {
	Services map[string]service
	Networks map[string]struct{ Internal bool }
	Secrets  map[string]struct{ File string }
	Volumes  map[string]any
}

type service struct {
	Image, User       string
	Command           []string
	Environment       map[string]string
	Volumes, Networks []string
	Secrets           []composeSecret
	Ports             []string
	Depends           map[string]any           `json:"depends_on"`
	CapDrop           []string                 `json:"cap_drop"`
	SecurityOpt       []string                 `json:"security_opt"`
	ReadOnly          bool                     `json:"read_only"`
	Healthcheck       *struct{ Test []string } `json:"healthcheck"`
	Deploy            struct{ Replicas int }   `json:"deploy"`
}

// composeSecret is one that a service sees as /run/secrets/TARGET.
type composeSecret struct{ Source, Target string }

func (s *composeSecret) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &s.Source) == nil {
		s.Target = s.Source
		return nil
	}
	var long struct{ Source, Target string }
	err := json.Unmarshal(data, &long)
	*s = long
	return err
}

func readCompose(t *testing.T) (c composeFile) {
	t.Helper()
	require.NoError(t, json.Unmarshal(documents(t, deploy("compose", "compose.yaml"))[0], &c))
	return c
}

// sees reports whether a path exists in the containers of a service.
func (s service) sees(path string) bool {
	for _, secret := range s.Secrets {
		if path == "/run/secrets/"+secret.Target {
			return true
		}
	}
	return slices.ContainsFunc(s.Volumes, func(v string) bool {
		_, inside, _ := strings.Cut(v, ":")
		inside, _, _ = strings.Cut(inside, ":")
		return path == inside || strings.HasPrefix(path, inside+"/")
	})
}

// roles are the services that run deed.
func (c composeFile) roles() map[string]service {
	roles := map[string]service{}
	for name, s := range c.Services {
		if s.Image == "${DEED_IMAGE:-deed}" {
			roles[name] = s
		}
	}
	return roles
}

func TestTheServicesOfComposeAreRolesThatTheCommandUnderstands(t *testing.T) {
	roles := readCompose(t).roles()
	require.Len(t, roles, 3)
	for name, s := range roles {
		understood(t, s.Command, s.Environment)
		require.Equal(t, []string{"CMD", "/usr/bin/deed"}, s.Healthcheck.Test[:2], "where the Dockerfile puts it")
		understood(t, s.Healthcheck.Test[2:], nil)
		for _, said := range slices.Concat(s.Command, s.Healthcheck.Test[2:]) {
			if _, path, _ := strings.Cut(said, "="); strings.HasPrefix(path, "/") {
				assert.True(t, s.sees(path), "%s: %s: it has no such file", name, said)
			}
		}
		for variable, path := range s.Environment {
			assert.True(t, !strings.HasPrefix(path, "/") || s.sees(path), "%s: %s=%s: it has no such file", name, variable, path)
		}
	}
}

func TestWhatComposeRefersToIsThere(t *testing.T) {
	c := readCompose(t)
	made := readDeploy(t, "compose", "prepare") + readDeploy(t, "credentials") + "credentials/nats/orchestrator.nk credentials/nats/worker.nk credentials/nats/nats-accounts.conf"
	for name, s := range c.Services {
		for _, network := range s.Networks {
			assert.Contains(t, c.Networks, network, name)
		}
		for _, secret := range s.Secrets {
			assert.Contains(t, c.Secrets, secret.Source, name)
		}
		for other := range s.Depends {
			assert.Contains(t, c.Services, other, name)
		}
		for _, v := range s.Volumes {
			outside, _, _ := strings.Cut(v, ":")
			switch {
			case !strings.HasPrefix(outside, "."):
				assert.Contains(t, c.Volumes, outside, name)
			case strings.HasPrefix(outside, "./state/"), strings.HasPrefix(outside, "./credentials/"):
				last := outside[strings.LastIndex(outside, "/")+1:]
				assert.Contains(t, made, last, "%s: nothing makes %s", name, outside)
			default:
				assert.FileExists(t, deploy("compose", outside), name)
			}
		}
	}
	for name, secret := range c.Secrets {
		last := strings.TrimPrefix(secret.File, "credentials/")
		stem, _, _ := strings.Cut(last, ".")
		assert.True(t, strings.Contains(made, last) || strings.Contains(made, "certificate "+stem) || strings.Contains(made, "user "+stem), "nothing makes the secret %s", name)
	}
}

func TestTheServicesOfComposeAreConfinedAndApart(t *testing.T) {
	c := readCompose(t)
	for name, s := range c.Services {
		if name != "events" { // an image with a user and folders of its own
			assert.Equal(t, []string{"ALL"}, s.CapDrop, name)
			assert.Equal(t, []string{"no-new-privileges:true"}, s.SecurityOpt, name)
			assert.Equal(t, "${DEED_USER:?run ./prepare first}", s.User, name)
			assert.True(t, s.ReadOnly || name == "prometheus", name)
		}
		for _, port := range s.Ports {
			assert.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s: %s is open to others", name, port)
		}
		orchestrates := strings.HasPrefix(name, "deed-")
		assert.Equal(t, orchestrates || name == "events", slices.Contains(s.Networks, "events"), "%s: the event store asks nobody who he is", name)
		for _, secret := range s.Secrets {
			assert.True(t, orchestrates || !slices.Contains([]string{"orchestrator.nk", "orchestrator.ini", "admin-token", "api.key"}, secret.Source), "%s is given %s", name, secret.Source)
		}
	}
	for _, network := range []string{"queue", "events", "blobs"} {
		assert.True(t, c.Networks[network].Internal, network)
	}
	_, err := os.Stat(deploy("compose", ".env.example"))
	require.NoError(t, err)
}

func TestPrometheusLooksForTheRolesOfCompose(t *testing.T) {
	var config struct {
		Scrape []struct {
			StaticConfigs []struct{ Targets []string } `json:"static_configs"`
			DNSConfigs    []struct {
				Names []string
				Port  int
			} `json:"dns_sd_configs"`
			TLS struct {
				ServerName string `json:"server_name"`
			} `json:"tls_config"`
		} `json:"scrape_configs"`
	}
	require.NoError(t, json.Unmarshal(documents(t, deploy("compose", "prometheus.yml"))[0], &config))
	scraped := map[string]string{} // by service: its port
	for _, s := range config.Scrape {
		for _, static := range s.StaticConfigs {
			for _, target := range static.Targets {
				name, port, _ := strings.Cut(target, ":")
				scraped[name] = port
			}
		}
		for _, dns := range s.DNSConfigs {
			for _, name := range dns.Names {
				scraped[name] = strconv.Itoa(dns.Port)
			}
			require.Contains(t, readDeploy(t, "credentials"), "certificate worker "+s.TLS.ServerName+" ", "the name in the workers' certificate")
		}
	}
	roles := readCompose(t).roles()
	require.Len(t, scraped, len(roles))
	for name, s := range roles {
		require.Contains(t, s.Command, "--metrics=0.0.0.0:"+scraped[name], name)
	}
}
