package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// fakeRole and fakeAsking are commands with the flags that such have; they do
// nothing.
func fakeRole(a *app) *cobra.Command {
	cmd := role(&cobra.Command{Use: "worker", RunE: func(*cobra.Command, []string) error { return nil }})[0]
	a.folderFlag(cmd)
	flags := cmd.Flags()
	flags.String("nats", "", "")
	flags.String("blobs", "", "")
	flags.String("pool", "", "")
	flags.Int("concurrency", 1, "")
	flags.Duration("lease", 10*time.Second, "")
	flags.Bool("certain", false, "")
	flags.StringArray("allow", nil, "")
	flags.StringSlice("handlers", nil, "")
	flags.Int("workers", 0, "")
	_ = flags.MarkHidden("workers")
	return cmd
}

func fakeAsking(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "ps", RunE: func(*cobra.Command, []string) error { return nil }}
	a.dataFlag(cmd)
	cmd.Flags().String("pool", "", "")
	cmd.Flags().String("out", "", "")
	return cmd
}

const threeContexts = `
current: prod
contexts:
  prod: {server: "http://prod:1", nats: "nats://prod:2", blobs: "s3://prod", events: "esdb://prod:3"}
  night: {data: /night, events: "esdb://night:3"}
  farm: {nats: "nats://farm:2", blobs: "s3://farm"}
`

func TestAFlagSaysMoreThanTheEnvironmentAndThatMoreThanTheContext(t *testing.T) {
	for name, c := range map[string]struct {
		role        bool
		config      string
		environment string // NAME=value, with spaces
		line        string
		want        string // flag=value, with spaces; those that are not their default
		fails       string
	}{
		"nothing said":                           {want: ""},
		"a variable":                             {environment: "DEED_DATA=x", want: "data=x"},
		"a flag before a variable":               {environment: "DEED_DATA=x", line: "--data y", want: "data=y"},
		"a folder before the server of a":        {environment: "DEED_SERVER=http://e:1", line: "--data y", want: "data=y"},
		"a server before the context":            {config: threeContexts, line: "--server http://l:1", want: "server=http://l:1"},
		"the current context":                    {config: threeContexts, want: "context=prod server=http://prod:1"},
		"a context by variable":                  {config: threeContexts, environment: "DEED_CONTEXT=night", want: "context=night data=/night events=esdb://night:3"},
		"a context by flag before a variable":    {config: threeContexts, environment: "DEED_DATA=x DEED_CONTEXT=", line: "--context night", want: "context=night data=/night events=esdb://night:3"},
		"nothing of the context beside a flag":   {config: threeContexts, line: "--data x", want: "data=x"},
		"the events of a variable":               {config: threeContexts, environment: "DEED_CONTEXT=night DEED_EVENTS=esdb://e:1", want: "context=night data=/night events=esdb://e:1"},
		"other flags of who asks are not filled": {environment: "DEED_POOL=p DEED_OUT=o", want: ""},
		"two folders of the same level":          {environment: "DEED_DATA=x DEED_SERVER=http://e:1", fails: "DEED_SERVER and DEED_DATA: each says where deed is"},
		"two flags":                              {line: "--data x --context night", fails: "--data and --context: each says where deed is"},
		"a context that is not there":            {config: threeContexts, line: "--context Prod", fails: `no context "Prod"`},
		"a context that only roles can use":      {config: threeContexts, line: "--context farm", fails: "context farm says where the queues are"},
		"a role in a context":                    {role: true, config: threeContexts, want: "blobs=s3://prod context=prod nats=nats://prod:2"},
		"a role in a folder":                     {role: true, config: threeContexts, line: "--context night", want: "context=night data=/night"},
		"a role before its context":              {role: true, config: threeContexts, line: "--data x", want: "data=x"},
		"half of a pair by flag":                 {role: true, config: threeContexts, environment: "DEED_BLOBS=s3://e", line: "--nats nats://l:1", want: "blobs=s3://e nats=nats://l:1"},
		"no half of a context":                   {role: true, config: threeContexts, line: "--nats nats://l:1", want: "nats=nats://l:1"},
		"a role has no server":                   {role: true, environment: "DEED_SERVER=http://e:1 DEED_DATA=x", want: "data=x"},
		"a role where people ask":                {role: true, config: `{contexts: {api: {server: "http://a:1"}}}`, line: "--context api", fails: "context api says where people ask"},
		"all flags of a role": {
			role:        true,
			environment: "DEED_POOL=gpu DEED_CONCURRENCY=8 DEED_LEASE=30s DEED_CERTAIN=true DEED_ALLOW=sh,python3 DEED_HANDLERS=a/*,b",
			want:        "allow=[sh,python3] certain=true concurrency=8 handlers=[a/*,b] lease=30s pool=gpu",
		},
		"a list by flag":           {role: true, environment: "DEED_ALLOW=sh", line: "--allow a --allow b", want: "allow=[a,b]"},
		"a flag that is empty":     {role: true, environment: "DEED_POOL=gpu", line: "--pool=", want: ""},
		"a hidden flag":            {role: true, environment: "DEED_WORKERS=3", want: ""},
		"a bad number":             {role: true, environment: "DEED_CONCURRENCY=many", fails: `DEED_CONCURRENCY="many" is no value for --concurrency`},
		"a bad time":               {role: true, environment: "DEED_LEASE=10", fails: `DEED_LEASE="10" is no value for --lease: time: missing unit`},
		"two bad ones":             {role: true, environment: "DEED_LEASE=x DEED_CERTAIN=x", fails: "DEED_LEASE"},
		"a file that says nothing": {config: "\n", want: ""},
		"a file with a stray word": {config: "contexts: {a: {dataa: x}}", fails: "line 1: field dataa is not known"},
		"a file that is no map":    {config: "- a\n", fails: "cannot be read"},
		"a stray file, not needed": {config: "- a\n", line: "--data x", want: "data=x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_CONFIG_HOME", t.TempDir())
			if c.config != "" {
				writeContexts(t, c.config)
			}
			for _, v := range os.Environ() {
				if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "DEED_") {
					t.Setenv(name, "")
				}
			}
			for v := range strings.FieldsSeq(c.environment) {
				name, value, _ := strings.Cut(v, "=")
				t.Setenv(name, value)
			}
			a := &app{}
			cmd := fakeAsking(a)
			if c.role {
				cmd = fakeRole(a)
			}
			require.NoError(t, cmd.ParseFlags(strings.Fields(c.line)))
			err := a.fill(cmd)
			if c.fails != "" {
				require.ErrorContains(t, err, c.fails)
				require.Equal(t, exitUsage, exitCode(err))
				return
			}
			require.NoError(t, err)
			var got []string
			for _, name := range []string{"allow", "blobs", "certain", "concurrency", "context", "data", "events", "handlers", "lease", "nats", "out", "pool", "server", "workers"} {
				if f := cmd.Flags().Lookup(name); f != nil && f.Value.String() != f.DefValue {
					got = append(got, name+"="+f.Value.String())
				}
			}
			require.Equal(t, c.want, strings.Join(got, " "))
		})
	}
}

// writeContexts puts a file of contexts where the user's is.
func writeContexts(t *testing.T, text string) string {
	t.Helper()
	path, err := configFile()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestWhatIsSecretInAURLIsNotShown(t *testing.T) {
	for given, shown := range map[string]string{
		"http://127.0.0.1:8420":                 "http://127.0.0.1:8420",
		"nats://token@h:4222":                   "nats://…@h:4222",
		"nats://a:b@h1:1,nats://a:b@h2:2":       "nats://…@h2:2",
		"nats://h1:1,h2:2":                      "nats://h1:1,h2:2",
		"esdb://ada:p@ss/w,ord@h:2113?tls=true": "esdb://…@h:2113?tls=true",
		"s3://b?region=x&secret_key=abc&a=b":    "s3://b?region=x&secret_key=…&a=b",
		"azblob://c?SAS_Token=abc":              "azblob://c?SAS_Token=…",
		"ada:secret@host":                       "…@host",
		"":                                      "",
		"jetstream":                             "jetstream",
	} {
		require.Equal(t, shown, hidden(given))
	}
}

func TestOfManyWhoChangeTheFileAtTheSameTimeEachIsHeard(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	const writers = 20
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			err := changeConfig(func(c *config, _ string) error {
				c.Contexts[fmt.Sprint(i)] = place{Data: "/d"}
				return nil
			})
			require.NoError(t, err)
		})
	}
	all.Wait()
	path, err := configFile()
	require.NoError(t, err)
	c, err := readConfig(path)
	require.NoError(t, err)
	require.Len(t, c.Contexts, writers)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".config-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestAFileOfContextsThatIsALinkStaysOne(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	path := writeContexts(t, "")
	kept := filepath.Join(t.TempDir(), "dotfiles.yaml")
	require.NoError(t, os.Rename(path, kept))
	require.NoError(t, os.Symlink(kept, path))
	require.NoError(t, changeConfig(func(c *config, _ string) error {
		c.Current = "a"
		return nil
	}))
	text, err := os.ReadFile(kept)
	require.NoError(t, err)
	require.Equal(t, "current: a\n", string(text))
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink)
}

func TestOneWhoHasNoHomeHasNoContextsAndIsNotHinderedByThat(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", "relative/is/ignored")
	t.Setenv("HOME", "")
	a := &app{}
	cmd := fakeAsking(a)
	require.NoError(t, a.fill(cmd))
	require.Equal(t, defaultData, a.data)
	require.ErrorContains(t, changeConfig(func(*config, string) error { return nil }), "set XDG_CONFIG_HOME")
}

func TestAHintRepeatsWhatTheCommandLineSaidAndNoPassword(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	writeContexts(t, threeContexts)
	for line, want := range map[string]string{
		"--data x":        " show p --data x",
		"--context night": " show p --context night",
		"":                " show p",
		"--data x --events esdb://ada:secret@h:1":      ` show p --data x --events "$DEED_EVENTS"`,
		"--server http://127.0.0.1:8420":               " show p --server http://127.0.0.1:8420",
		"--data x --events esdb://h:1?tls=false&a='b'": ` show p --data x --events 'esdb://h:1?tls=false&a='\''b'\'''`,
	} {
		a := &app{}
		cmd := fakeAsking(a)
		require.NoError(t, cmd.ParseFlags(strings.Fields(line)))
		require.NoError(t, a.fill(cmd))
		require.Equal(t, program()+want, a.commandLine("show", "p"))
	}
}

func TestNoFlagOfARoleIsAVariableThatMeansSomethingElse(t *testing.T) {
	taken := strings.Fields("DEED_IN DEED_OUT DEED_TASK_FILE DEED_TASK DEED_PROCESS DEED_ADDRESS DEED_INDEX DEED_KEY DEED_ATTEMPT DEED_NATS_TOKEN DEED_FAILPOINT DEED_GUARD")
	roles := 0
	for _, cmd := range (&app{}).root().Commands() {
		if _, isRole := cmd.Annotations[roleMark]; !isRole {
			continue
		}
		roles++
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			require.NotContains(t, taken, variableOf(f.Name), "--%s of deed %s", f.Name, cmd.Name())
			require.False(t, strings.HasPrefix(variableOf(f.Name), "DEED_PARAM_") || strings.HasPrefix(variableOf(f.Name), "DEED_TEST_"), f.Name)
		})
	}
	require.GreaterOrEqual(t, roles, 4)
}
