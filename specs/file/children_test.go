package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/specs/file"
)

const family = `
deed: v1
name: family
inputs: [photos]
steps:
  album:
    each: photos by key
    out: {sheet: sheets, light: {as: lights, json: number}}
    tolerate: 1
    steps:
      draw: {run: a/draw, in: [photos], out: {sheet: sheet, light: {json: number}}}
  again:
    repeat: {until: "light > 0.5", max: 2}
    out: {light: {as: last, json: number}}
    steps:
      look: {run: a/look, in: [sheets], out: {light: {json: number}}}
  page: {run: a/page, in: [sheets], out: [page], when: sum(lights) > 1}
outputs: [page, last]
`

// ofFamily runs one specification of the definition above over two albums; it
// returns what is wrong with it, or does not hold.
func ofFamily(t *testing.T, body string) string {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "process.spec.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "process.yaml"), []byte(family), 0o600))
	require.NoError(t, os.WriteFile(name, []byte("inputs: {photos: [city, beach, city]}\nspecs:\n- name: a\n"+body), 0o600))
	f, faults, err := file.Load(name)
	require.NoError(t, err)
	for _, fault := range faults {
		return fault.String()
	}
	return problems(f.Run())
}

func TestWhatChildrenHandUpIsAsTheSpecificationSays(t *testing.T) {
	for name, body := range map[string]string{
		"one part each, with the key of its element": `
  given: [{done: "album[0]"}]
  when: {done: "album[1]"}
  then: {steps: {album: completed, again: running, page: skipped}, data: {sheets: {city: 1, beach: 1}, lights: {city: 1, beach: 1}}}`,
		"several are told of at once, each with what is said": `
  given: [{done: "album[0-1]", writes: {sheets: 3}, values: {lights: 0.7}}]
  when: {done: "again[0]", values: {last: 0.6}}
  then: {steps: {album: completed, again: completed, page: running}, data: {sheets: {city: 3, beach: 3}}}`,
		"all that are open, the others having failed": `
  given: [{failed: "album[0]"}, {done: album}]
  when: {done: "again[0]"}
  then: {steps: {album: completed, again: running}, skipped: "album[0]", scheduled: "again[1]", data: {sheets: {city: 1}}}`,
		"a value of another type is a failure of its task": `
  when: {done: "album[0]", values: {lights: bad}}
  then: {skipped: "album[0]"}`,
		"a round after the last one is too many": `
  given: [{done: album}, {done: again}]
  when: {done: again}
  then: {status: failed, because: again}`,
	} {
		t.Run(name, func(t *testing.T) { require.Empty(t, ofFamily(t, body)) })
	}
}

func TestWhatNoChildCanHaveHandedUpIsRefused(t *testing.T) {
	for body, says := range map[string]string{
		`{done: "album[0-1]"}`:                    "album[0-1]: children report one by one, such as album[0]",
		`{done: "album[0]", writes: {sheet: 1}}`:  `there is no output of album "sheet"; did you mean "sheets"?`,
		`{done: "album[0]", values: {sheets: 1}}`: `"sheets" is no small value`,
	} {
		require.Contains(t, ofFamily(t, "  when: "+body+"\n  then: {status: failed}"), says)
	}
}
