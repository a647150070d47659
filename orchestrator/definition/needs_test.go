package definition_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

func TestASizeOfMemoryHasAUnit(t *testing.T) {
	for text, want := range map[string]int64{
		"4GiB": 4 << 30, "512MiB": 512 << 20, "20GB": 20e9, "1.5 GiB": 3 << 29, "0.5KB": 500, "1B": 1, "1024TiB": 1 << 50, "1000KiB": 1000 << 10,
	} {
		got, err := definition.ParseMemory(text)
		require.NoError(t, err)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		"4":        `"4" has no unit: write 4GiB, 4MiB, or 4B for bytes`,
		"":         `"" is no size: write it like 4GiB, 512MiB or 20GB`,
		"-4GiB":    `"-4GiB" is no size: write it like 4GiB, 512MiB or 20GB`,
		"GiB":      `"GiB" is no size: write it like 4GiB, 512MiB or 20GB`,
		"1.2.3GB":  `"1.2.3GB" is no size: write it like 4GiB, 512MiB or 20GB`,
		"4Gi":      `"4Gi" is no size: did you mean 4GiB, or 4GB?`,
		"512m":     `"512m" is no size: did you mean 512MiB, or 512MB?`,
		"4gib":     `"4gib" is no size: did you mean 4GiB?`,
		"4kB":      `"4kB" is no size: did you mean 4KB?`,
		"4 apples": `"4 apples" is no size: its unit is one of KiB, MiB, GiB, TiB, KB, MB, GB, TB and B`,
		"0MB":      `"0MB" is not more than 0 and at most 1024TiB; leave it out if none is needed`,
		"0.1B":     `"0.1B" is not more than 0 and at most 1024TiB; leave it out if none is needed`,
		"1025TiB":  `"1025TiB" is not more than 0 and at most 1024TiB; leave it out if none is needed`,
	} {
		_, err := definition.ParseMemory(text)
		assert.EqualError(t, err, want)
	}
}

func TestCoresHaveAtMostThreeDecimals(t *testing.T) {
	for text, want := range map[string]float64{"2": 2, "0.5": 0.5, "1.005": 1.005, "0.001": 0.001, "1e1": 10, "10000": 10_000} {
		got, err := definition.ParseCPU(text)
		require.NoError(t, err)
		assert.InDelta(t, want, got, 0, text)
	}
	for text, want := range map[string]string{
		"1.0005": "1.0005 cores have more than 3 decimals: did you mean 1.001?",
		"250m":   `"250m" is no number of cores: did you mean 0.25?`,
		"two":    `"two" is no number of cores: write it like 2, or 0.5`,
		"0":      "0 cores are not more than 0 and at most 10000; leave it out if none is needed",
		"NaN":    "NaN cores are not more than 0 and at most 10000; leave it out if none is needed",
		"10001":  "10001 cores are not more than 0 and at most 10000; leave it out if none is needed",
	} {
		_, err := definition.ParseCPU(text)
		assert.EqualError(t, err, want)
	}
}

// What a difference shows can be given as a setting, and is the same.
func TestNeedsAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var needs task.Resources
		if rapid.Bool().Draw(t, "cores") {
			needs.CPU = float64(rapid.IntRange(1, definition.MaxCPU*1000).Draw(t, "thousandths")) / 1000
		}
		if rapid.Bool().Draw(t, "memory") {
			needs.Memory = rapid.Int64Range(1, 1<<50).Draw(t, "bytes")
			if rapid.Bool().Draw(t, "round") {
				needs.Memory = max(needs.Memory>>20<<20, 1)
			}
		}
		if rapid.Bool().Draw(t, "devices") || needs.IsZero() {
			needs.GPU = rapid.IntRange(1, definition.MaxGPU).Draw(t, "count")
		}
		step := definition.Definition{Steps: []definition.Step{{Address: "s", Needs: needs}}}
		diff := definition.Diff(definition.Definition{Steps: []definition.Step{{Address: "s"}}}, step)
		require.Len(t, diff, 1)
		var said string
		require.NotPanics(t, func() { said = diff[0][len("step s: needs ") : len(diff[0])-len(", was none")] })
		read, err := definition.Set(definition.Definition{Steps: []definition.Step{{Address: "s"}}}, "s.needs", said)
		require.NoError(t, err)
		require.Equal(t, needs, read.Steps[0].Needs, said)
	})
}

func TestARateIsANumberInATime(t *testing.T) {
	for text, want := range map[string]string{
		"5/s": "5/s", "100/m": "100/m", "5000/h": "5000/h", "1/d": "1/d", "10/10s": "10/10s", "10/60m": "10/h", "7 / 1m30s": "7/1m30s", "1/7d": "1/168h",
		"1000000/s": "1000000/s",
	} {
		got, err := definition.ParseRate(text)
		require.NoError(t, err)
		assert.Equal(t, want, got.String())
		assert.Positive(t, got.Every())
		again, err := definition.ParseRate(got.String())
		require.NoError(t, err)
		assert.Equal(t, got, again)
	}
	for text, want := range map[string]string{
		"":                       `"" is no rate: write it like 5000/h, or 10/30s`,
		"5000":                   `"5000" is no rate: write it like 5000/h, or 10/30s`,
		"1.5/s":                  `"1.5/s" is no rate: write it like 5000/h, or 10/30s`,
		"5000/hour":              `"5000/hour" is no rate: did you mean 5000/h?`,
		"5000/Minutes":           `"5000/Minutes" is no rate: did you mean 5000/m?`,
		"5/10secs":               `"5/10secs" is no rate: did you mean 5/10s?`,
		"5/10 min":               `"5/10 min" is no rate: did you mean 5/10m?`,
		"5/H":                    `"5/H" is no rate: did you mean 5/h?`,
		"5/dya":                  `"5/dya" is no rate: did you mean 5/d?`,
		"5/fortnight":            `"5/fortnight" is no rate: after the / comes s, m, h, d or a time like 30s`,
		"5/":                     `"5/" is no rate: after the / comes s, m, h, d or a time like 30s`,
		"5/0s":                   `"5/0s" is no rate: after the / comes s, m, h, d or a time like 30s`,
		"5/-1h":                  `"5/-1h" is no rate: after the / comes s, m, h, d or a time like 30s`,
		"5/99999999d":            `"5/99999999d" is no rate: after the / comes s, m, h, d or a time like 30s`,
		"0/s":                    `"0/s" lets no task begin: write 1 or more; to hold all of a process back, pause it`,
		"1000001/s":              `"1000001/s" is more than a million a second: leave it out for no limit`,
		"2/1us":                  `"2/1us" is more than a million a second: leave it out for no limit`,
		"99999999999999999999/h": `"99999999999999999999/h" is more than a million a second: leave it out for no limit`,
	} {
		_, err := definition.ParseRate(text)
		assert.EqualError(t, err, want)
	}
}
