package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/definition"
)

// config is the user's file: contexts, and which of them is current. The names
// are storage.
type config struct {
	Current  string           `yaml:"current,omitempty"`
	Contexts map[string]place `yaml:"contexts,omitempty"`
}

// place is a context: where one deed is. A server is for what people ask, nats
// and blobs are for roles, which speak with the queues themselves; a folder is
// for both. Each setting is named as the flag is that it stands for.
type place struct {
	Server string `yaml:"server,omitempty" json:"server,omitempty"`
	Data   string `yaml:"data,omitempty" json:"data,omitempty"`
	Nats   string `yaml:"nats,omitempty" json:"nats,omitempty"`
	Blobs  string `yaml:"blobs,omitempty" json:"blobs,omitempty"`
	Events string `yaml:"events,omitempty" json:"events,omitempty"`

	TokenFile string `yaml:"tokenFile,omitempty" json:"tokenFile,omitempty"` // the file: a token is in no configuration
	CAFile    string `yaml:"caFile,omitempty" json:"caFile,omitempty"`

	NatsNkey  string `yaml:"natsNkey,omitempty" json:"natsNkey,omitempty"` // files, too
	NatsCreds string `yaml:"natsCreds,omitempty" json:"natsCreds,omitempty"`
	NatsCA    string `yaml:"natsCa,omitempty" json:"natsCa,omitempty"`
}

// setting is a flag and its value.
type setting struct{ name, value string }

// settings lists what a place says, in a fixed order.
func (p place) settings() []setting {
	all := []setting{
		{"server", p.Server},
		{"token-file", p.TokenFile},
		{"ca-file", p.CAFile},
		{"data", p.Data},
		{"nats", p.Nats},
		{"nats-nkey", p.NatsNkey},
		{"nats-creds", p.NatsCreds},
		{"nats-ca", p.NatsCA},
		{"blobs", p.Blobs},
		{"events", p.Events},
	}
	return slices.DeleteFunc(all, func(s setting) bool { return s.value == "" })
}

// configFile is where the file of the user is, whether it is there or not.
func configFile() (string, error) {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) { // as the specification of XDG has it
		home, err := os.UserHomeDir()
		if err != nil {
			return "", &usageError{fmt.Errorf("find the file of contexts: %w; set XDG_CONFIG_HOME", err)}
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "deed", "config.yaml"), nil
}

// configLimit is more than any file of contexts that somebody wrote.
const configLimit = 1 << 20

// readConfig reads the file of the user; one that is not there is empty.
func readConfig(path string) (config, error) {
	c := config{Contexts: map[string]place{}}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return c, nil
	}
	if err != nil {
		return c, &usageError{fmt.Errorf("read the file of contexts: %w", err)}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, configLimit+1))
	if err == nil && len(data) > configLimit {
		err = fmt.Errorf("it has more than %s", amount.Bytes(configLimit))
	}
	if err == nil {
		err = decodeConfig(data, &c)
	}
	if err != nil {
		return c, usagef("the file of contexts, %s, cannot be read: %w; mend it, or name a --server or --data", path, err)
	}
	if c.Contexts == nil {
		c.Contexts = map[string]place{}
	}
	return c, nil
}

func decodeConfig(data []byte, c *config) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true) // a word that is misspelt would silently mean another place
	err := decoder.Decode(c)
	var types *yaml.TypeError
	if errors.As(err, &types) {
		faults := make([]string, len(types.Errors))
		for i, fault := range types.Errors {
			if at, _, unknown := strings.Cut(fault, " not found in type"); unknown {
				fault = at + " is not known"
			}
			faults[i] = fault
		}
		return errors.New(strings.Join(faults, "; "))
	}
	if errors.Is(err, io.EOF) { // an empty file
		return nil
	}
	return err
}

// context finds one by name.
func (c config) context(name, path string) (place, error) {
	p, ok := c.Contexts[name]
	if ok {
		return p, nil
	}
	names := slices.Sorted(maps.Keys(c.Contexts))
	var spell definition.Speller
	hint := spell.Hint(name, names)
	switch {
	case len(names) == 0:
		hint = fmt.Sprintf("there is none; %#q adds one", program()+" context add")
	case hint == "":
		hint = "there is " + list(names)
	}
	return place{}, &notFoundError{fmt.Sprintf("no context %q in %s: %s", name, path, hint)}
}

// changeConfig changes the file of the user: whole or not at all, one change
// after the other, and for nobody else to read, since a URL may have a password.
func changeConfig(change func(c *config, path string) error) error {
	path, err := configFile()
	if err != nil {
		return err
	}
	if linked, err := filepath.EvalSymlinks(path); err == nil {
		path = linked // the file is replaced, not the link
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return &usageError{fmt.Errorf("write the file of contexts: %w", err)}
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return &usageError{fmt.Errorf("write the file of contexts: %w", err)}
	}
	defer func() { _ = lock.Unlock() }()
	c, err := readConfig(path)
	if err == nil {
		err = change(&c, path)
	}
	if err != nil {
		return err
	}
	if err := writeConfig(path, c); err != nil {
		return fmt.Errorf("write the file of contexts: %w", err)
	}
	return nil
}

func writeConfig(path string, c config) error {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(c), encoder.Close()); err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(path), ".config-*") // readable by its owner only
	if err != nil {
		return err
	}
	_, err = next.Write(text.Bytes())
	err = errors.Join(err, next.Close())
	if err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		_ = os.Remove(next.Name())
	}
	return err
}
