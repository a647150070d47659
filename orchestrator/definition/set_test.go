package definition_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
)

func TestASettingOfARunningProcessIsChangedAlone(t *testing.T) {
	for _, tc := range []struct {
		setting, value string
		want           []string // the difference
	}{
		{"load.timeout", "5m", []string{"step load: timeout 5m, was none"}},
		{"load.retry.attempts", "5", []string{"step load: retry attempts 5, was 3"}},
		{"load.retry.backoff", "5s", []string{"step load: retry backoff 5s, was 1s..30s"}},
		{"load.retry.factor", "1.5", []string{"step load: retry factor 1.5, was 2"}},
		{"load.retry.jitter", "0%", []string{"step load: retry jitter none, was 10%"}},
		{"load.parallelism", "8", []string{"step load: parallelism 8, was none"}},
		{"load.tolerate", "1%", []string{"step load: tolerate 1%, was 0"}},
		{"deadline", "2h", []string{"deadline 2h, was none"}},
		{"outer/own.parallelism", "none", []string{"step outer/own: parallelism none, was 4"}},
		{"outer/own.timeout", "0s", []string{"step outer/own: timeout none, was 6s"}},
		{"outer.timeout", "1h", []string{"step outer/plain: timeout 1h, was 2m", "step outer/own: timeout 1h, was 6s", "step outer/inner/deep: timeout 1h, was none"}},
		{"outer/inner.tolerate", "all", []string{"step outer/inner/deep: tolerate all, was 0"}},
		{"load.pool", "gpu", []string{"step load: pool gpu, was default"}},
		{"outer.pool", "default", []string{"step outer/own: pool default, was big"}},
		{"outer/own.pool", "none", []string{"step outer/own: pool default, was big"}},
		{"load.needs", "gpu=1, memory=1.5GiB,cpu=0.25", []string{"step load: needs cpu=0.25,memory=1536MiB,gpu=1, was none"}},
		{"outer/own.needs", "cpu=3", []string{"step outer/own: needs cpu=3, was cpu=2,memory=20GB"}},
		{"outer/own.needs", "none", []string{"step outer/own: needs none, was cpu=2,memory=20GB"}},
		{"load.rate", "5000/h", []string{"step load: rate 5000/h, was none"}},
		{"outer/own.rate", "none", []string{"step outer/own: rate none, was 10/30s"}},
		{"parallelism", "200", []string{"parallelism 200, was none"}},
		{"weight", "3", []string{"weight 3, was 1"}},
		{"weight", "1", nil},
		{"load.timeout", "0s", nil},
	} {
		t.Run(tc.setting+"="+tc.value, func(t *testing.T) {
			d := resolve(t, source(t, nested), nil, nil)
			changed, err := definition.Set(d, tc.setting, tc.value)
			require.NoError(t, err)
			assert.Equal(t, tc.want, definition.Diff(d, changed))
			assert.Equal(t, resolve(t, source(t, nested), nil, nil), d, "the given definition stays as it is")
		})
	}
}

func TestWhatIsSetForTheProcessIsLiftedByNone(t *testing.T) {
	d := definition.Definition{Deadline: 1e9, Parallelism: 5, Weight: 3}
	for _, setting := range []string{"deadline", "parallelism", "weight"} {
		var err error
		d, err = definition.Set(d, setting, "none")
		require.NoError(t, err)
	}
	assert.Zero(t, d)
}

func TestAWeightOfOneIsTheSameDefinitionAsNone(t *testing.T) {
	d := resolve(t, source(t, nested), nil, nil)
	heavy, err := definition.Set(d, "weight", "2")
	require.NoError(t, err)
	assert.NotEqual(t, d.Hash(), heavy.Hash())
	light, err := definition.Set(heavy, "weight", "1")
	require.NoError(t, err)
	assert.Equal(t, d.Hash(), light.Hash())
}

func TestASettingThatMakesNoSenseIsRefusedAsAtSubmit(t *testing.T) {
	d := resolve(t, source(t, nested), nil, nil)
	for setting, cases := range map[string]map[string]string{
		"laod.timeout":       {"5m": `setting "laod.timeout": "laod" does not exist; did you mean "load"?`},
		"own.timeout":        {"5m": `setting "own.timeout": "own" does not exist; did you mean "outer/own"? an address begins at the outermost group`},
		"outer/iner.timeout": {"5m": `setting "outer/iner.timeout": "outer/iner" does not exist; did you mean "outer/inner"?`},
		"timeout":            {"5m": `setting "timeout" has no address; write it as ADDRESS.timeout`},
		"":                   {"5m": `setting "": "" does not exist`},
		"load":               {"5m": `load: setting "load": "" is no setting; there are timeout, retry.attempts, retry.backoff, retry.factor, retry.jitter, parallelism, tolerate, pool, needs, rate, cache, limits, and without an address deadline, parallelism, weight, cache`},
		"load.tolerat":       {"5": `load: setting "load.tolerat": "tolerat" is no setting; did you mean "tolerate"?`},
		"load.run":           {"x": `load: setting "load.run": "run" is no setting; there are timeout, retry.attempts, retry.backoff, retry.factor, retry.jitter, parallelism, tolerate, pool, needs, rate, cache, limits, and without an address deadline, parallelism, weight, cache`},
		"load.timeout":       {"5": `load: setting "load.timeout": "5" is no duration: write it like 30s, 5m or 1h30m`, "-1s": `load: timeout -1s is negative; write a time like 5m, or 0s for no timeout`},
		"load.parallelism":   {"0": `load: parallelism 0 is less than 1; write 1 or more, or none for no limit`, "many": `load: setting "load.parallelism": "many" is no whole number`},
		"load.pool":          {"GPU": `load: setting "load.pool": "GPU" is no pool: write a letter a-z or a digit, then at most 63 of a-z, 0-9 and -`},
		"load.needs": {
			"lots":          `load: setting "load.needs": "lots" says not what is needed: write it like cpu=2,memory=4GiB,gpu=1`,
			"cpu=1,cpu=2":   `load: setting "load.needs": "cpu" is needed twice in "cpu=1,cpu=2": write it once`,
			"memory=4":      `load: setting "load.needs": memory: "4" has no unit: write 4GiB, 4MiB, or 4B for bytes`,
			"mem=4GiB":      `load: setting "load.needs": "mem" is nothing that can be needed: there are cpu, memory, gpu`,
			"memroy=4GiB":   `load: setting "load.needs": "memroy" is nothing that can be needed: did you mean "memory"?`,
			"cpu=1,gpu=1.5": `load: setting "load.needs": gpu: "1.5" is no number of devices: write it like 1`,
		},
		"load.needs.cpu":        {"2": `load: setting "load.needs.cpu": "needs.cpu" is no setting; what is needed is set as a whole, like needs=cpu=2,memory=4GiB`},
		"load.rate":             {"5000": `load: setting "load.rate": "5000" is no rate: write it like 5000/h, or 10/30s`},
		"outer.rate":            {"5/s": `outer: rate is a setting of steps, not of groups; set it on the steps inside`},
		"needs":                 {"cpu=1": `setting "needs" has no address; write it as ADDRESS.needs`},
		"parallelism":           {"0": `parallelism 0 is less than 1; write 1 or more, or none for no limit`, "few": `setting "parallelism": "few" is no whole number`},
		"weight":                {"0": `weight 0 is not between 1 and 100; 1, the default, is what others have; 3 is three times that`, "1e9": `setting "weight": "1e9" is no whole number`},
		"wieght":                {"2": `setting "wieght": "wieght" does not exist; did you mean "weight"?`},
		"load.weight":           {"2": `load: setting "load.weight": "weight" is no setting; the process has one, not its steps: write weight without an address`},
		"outer.parallelism":     {"2": `outer: parallelism is a setting of steps, not of groups; set it on the steps inside`, "none": `outer: parallelism is a setting of steps, not of groups; set it on the steps inside`},
		"load.retry.jitter":     {"10": `load: jitter 1000% is not between 0% and 100%; did you mean 10%?`, "NaN": `load: jitter NaN% is not between 0% and 100%; write a share from 0% to 100%`},
		"load.retry.factor":     {"+Inf": `load: factor +Inf is not between 1 and 100; write 2 to double each wait, or 1 to keep it`},
		"load.tolerate":         {"-5": `load: tolerate -5 is negative; write 0 to tolerate none`, "none": `load: setting "load.tolerate": "none" is no tolerance: write a number of tasks, a share like 1%, or all`},
		"deadline":              {"0s": `deadline 0s leaves the process no time; write a time like 2h, or none for no deadline`},
		"outer/inner/deep.name": {"x": `outer/inner/deep: setting "outer/inner/deep.name": "name" is no setting; there are timeout, retry.attempts, retry.backoff, retry.factor, retry.jitter, parallelism, tolerate, pool, needs, rate, cache, limits, and without an address deadline, parallelism, weight, cache`},
	} {
		for value, want := range cases {
			changed, err := definition.Set(d, setting, value)
			require.EqualError(t, err, want)
			assert.Zero(t, changed)
		}
	}
}

// FuzzSet gives any setting any value: it is refused in words, or the result is
// a definition that can be stored, and setting it again changes nothing.
func FuzzSet(f *testing.F) {
	for _, setting := range []string{"load.timeout", "outer.retry.factor", "load.retry.jitter", "outer/own.parallelism", "deadline", "load.tolerate", "outer.pool", "load.needs", "load.rate", "weight", "parallelism", "x", "", "."} {
		for _, value := range []string{"", "5m", "none", "10%", "all", "1e9", "NaN", "-0", "Inf%", "cpu=2,memory=4GiB,gpu=1", "5000/h", "1/36500d", "3"} {
			f.Add(setting, value)
		}
	}
	f.Fuzz(func(t *testing.T, setting, value string) {
		d := resolve(t, source(t, nested), nil, nil)
		hash := d.Hash()
		changed, err := definition.Set(d, setting, value)
		require.Equal(t, hash, d.Hash())
		if err != nil {
			require.NotEmpty(t, err.Error())
			require.Less(t, len(err.Error()), 1000)
			return
		}
		_, err = json.Marshal(changed)
		require.NoError(t, err)
		again, err := definition.Set(changed, setting, value)
		require.NoError(t, err)
		require.Equal(t, changed, again)
	})
}
