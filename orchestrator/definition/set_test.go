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

func TestADeadlineIsLiftedByNone(t *testing.T) {
	d, err := definition.Set(definition.Definition{Deadline: 1e9}, "deadline", "none")
	require.NoError(t, err)
	assert.Zero(t, d.Deadline)
}

func TestASettingThatMakesNoSenseIsRefusedAsAtSubmit(t *testing.T) {
	d := resolve(t, source(t, nested), nil, nil)
	for setting, cases := range map[string]map[string]string{
		"laod.timeout":          {"5m": `setting "laod.timeout": "laod" does not exist; did you mean "load"?`},
		"own.timeout":           {"5m": `setting "own.timeout": "own" does not exist; did you mean "outer/own"? an address begins at the outermost group`},
		"outer/iner.timeout":    {"5m": `setting "outer/iner.timeout": "outer/iner" does not exist; did you mean "outer/inner"?`},
		"timeout":               {"5m": `setting "timeout" has no address; write it as ADDRESS.timeout`},
		"":                      {"5m": `setting "": "" does not exist`},
		"load":                  {"5m": `load: setting "load": "" is no setting; there are timeout, retry.attempts, retry.backoff, retry.factor, retry.jitter, parallelism, tolerate, and deadline without an address`},
		"load.tolerat":          {"5": `load: setting "load.tolerat": "tolerat" is no setting; did you mean "tolerate"?`},
		"load.run":              {"x": `load: setting "load.run": "run" is no setting; there are timeout, retry.attempts, retry.backoff, retry.factor, retry.jitter, parallelism, tolerate, and deadline without an address`},
		"load.timeout":          {"5": `load: setting "load.timeout": "5" is no duration: write it like 30s, 5m or 1h30m`, "-1s": `load: timeout -1s is negative; write a time like 5m, or 0s for no timeout`},
		"load.parallelism":      {"0": `load: parallelism 0 is less than 1; write 1 or more, or none for no limit`, "many": `load: setting "load.parallelism": "many" is no whole number`},
		"outer.parallelism":     {"2": `outer: parallelism is a setting of steps, not of groups; set it on the steps inside`, "none": `outer: parallelism is a setting of steps, not of groups; set it on the steps inside`},
		"load.retry.jitter":     {"10": `load: jitter 1000% is not between 0% and 100%; did you mean 10%?`, "NaN": `load: jitter NaN% is not between 0% and 100%; write a share from 0% to 100%`},
		"load.retry.factor":     {"+Inf": `load: factor +Inf is not between 1 and 100; write 2 to double each wait, or 1 to keep it`},
		"load.tolerate":         {"-5": `load: tolerate -5 is negative; write 0 to tolerate none`, "none": `load: setting "load.tolerate": "none" is no tolerance: write a number of tasks, a share like 1%, or all`},
		"deadline":              {"0s": `deadline 0s leaves the process no time; write a time like 2h, or none`},
		"outer/inner/deep.name": {"x": `outer/inner/deep: setting "outer/inner/deep.name": "name" is no setting; there are timeout, retry.attempts, retry.backoff, retry.factor, retry.jitter, parallelism, tolerate, and deadline without an address`},
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
	for _, setting := range []string{"load.timeout", "outer.retry.factor", "load.retry.jitter", "outer/own.parallelism", "deadline", "load.tolerate", "x", "", "."} {
		for _, value := range []string{"", "5m", "none", "10%", "all", "1e9", "NaN", "-0", "Inf%"} {
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
