// Package forecast tests the definitions of this folder against each other, and
// against an independent check.
package forecast

import (
	"bytes"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/examples/forecast/steps"
	"github.com/deedrun/deed/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const departures = "data/departures.csv"

func TestTheForecastOfAllAirportsIsRightAndBeatsTheNaiveOne(t *testing.T) {
	outputs := run(t, "process.yaml", nil, departures)
	found := check(t, departures, outputs)
	assert.Contains(t, found, "213 airports, 5 models")
	assert.Contains(t, found, "all is right")

	improvement, err := strconv.ParseFloat(text(t, outputs, "improvement"), 64)
	require.NoError(t, err)
	assert.Greater(t, improvement, 0.2, "a fifth less error than naive")
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for line := range strings.Lines(text(t, outputs, "summary")) {
		assert.Contains(t, string(readme), line, "the README shows what comes out")
	}
	picture, err := os.ReadFile("airports.svg")
	require.NoError(t, err)
	words, numbers := apart(string(picture))
	ourWords, ourNumbers := apart(text(t, outputs, "page/airports.svg"))
	assert.Equal(t, words, ourWords, "the picture of the README is what comes out")
	assert.InDeltaSlice(t, numbers, ourNumbers, 0.11, "but for the last digit")
}

func TestThePythonFormGivesTheSameNumbers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two dozen programs")
	}
	some := lines(t, departures, 0, 1, 2, 30, 57, 58, 113, 167, 190, 213) // the header, large airports and small ones
	ours, python := run(t, "process.yaml", nil, some), run(t, "python.yaml", nil, some)
	for _, name := range []string{"forecast", "scored", "backtest", "summary", "improvement", "page/report.html", "page/airports.svg"} {
		assert.Equal(t, text(t, ours, name), text(t, python, name), name)
	}
	assert.Contains(t, check(t, some, python), "9 airports, 5 models")
}

func TestDaysOfTheTestChangeNeitherTheChoiceNorAForecastBeforeThem(t *testing.T) {
	some := lines(t, departures, 0, 1, 57, 113, 190)
	before := run(t, "process.yaml", nil, some)
	after := run(t, "process.yaml", nil, edit(t, some, func(table [][]string) {
		for _, line := range table[1:] {
			for day := len(line) - 35; day < len(line); day++ { // the days after 26 May
				line[day] = strconv.Itoa(day * day % 997)
			}
		}
	}))
	first := func(line []string) []string { return line[:5] } // airport, model, chosen and the validation
	assert.Equal(t, columns(t, before, "scored", first), columns(t, after, "scored", first))
	assert.NotEqual(t, text(t, before, "scored"), text(t, after, "scored"))
	until := func(line []string) []string {
		if line[2] > "2001-05-26" && line[2] != "origin" {
			return nil
		}
		return line
	}
	assert.Equal(t, columns(t, before, "backtest", until), columns(t, after, "backtest", until))
}

func TestTheCheckFindsWhatIsWrong(t *testing.T) {
	some := lines(t, departures, 0, 57, 113, 190)
	outputs := run(t, "process.yaml", nil, some)
	for what, spoil := range map[string]struct{ file, old, new, says string }{
		"another model is chosen":         {"scored", ",yes,", ",no,", "the validation chooses"},
		"an error is too large":           {"scored", ",naive,no,", ",naive,no,1", "validation_mae is 1"},
		"a forecast is another one":       {"backtest", ",profile,2001-05-26,", ",profile,2001-05-26,9", "the median of"},
		"naive is not the last week":      {"backtest", ",naive,2001-03-31,", ",naive,2001-03-31,1", "the week before had"},
		"a forecast is missing":           {"backtest", ",theta,2001-06-30,", ",theta,2001-06-29,", "forecasts are missing, or too many"},
		"what is published is another":    {"forecast", "\nSLC,", "\nSLX,", "is not of every airport"},
		"the improvement is too large":    {"improvement", "0.", "0.9", "the improvement is"},
		"the summary tells another error": {"summary", "better at ", "better at 1", "the summary says"},
	} {
		content := text(t, outputs, spoil.file)
		require.Contains(t, content, spoil.old, what)
		spoiled := filepath.Join(t.TempDir(), "outputs")
		require.NoError(t, os.CopyFS(spoiled, os.DirFS(outputs)))
		require.NoError(t, os.WriteFile(filepath.Join(spoiled, spoil.file), []byte(strings.Replace(content, spoil.old, spoil.new, 1)), 0o600))
		said, err := command(t, "check.py", some, spoiled).CombinedOutput()
		require.Error(t, err, "%s: %s", what, said)
		assert.Contains(t, string(said), spoil.says, what)
	}
}

func TestOnlyAnAirportWhoseNumbersChangedIsForecastAgain(t *testing.T) {
	some := lines(t, departures, 0, 1, 57, 113, 190)
	changed := edit(t, some, func(table [][]string) { table[3][100] += "0" })
	r := open(t)
	executed := func(id, table string) map[string]int {
		done, err := process(t, r, id, "process.yaml", nil, table)
		require.NoError(t, err)
		tasks := map[string]int{}
		for _, step := range done.State.Steps() {
			tasks[step.Address] = step.Confirmed - step.Reused
		}
		return tasks
	}
	for _, run := range []struct {
		id, table string
		airports  int
	}{{"first", some, 4}, {"the-same-again", some, 0}, {"one-changed", changed, 1}} {
		tasks := executed(run.id, run.table)
		for _, model := range []string{"naive", "profile", "winters", "theta"} {
			assert.Equal(t, run.airports, tasks["models/"+model], "%s: %s", run.id, model)
		}
		assert.Equal(t, 4, tasks["choose"], run.id)
	}
}

func TestAForecastThatIsNoBetterThanTheNaiveOneIsNotPublished(t *testing.T) {
	flat := edit(t, lines(t, departures, 0, 1), func(table [][]string) {
		for day := range table[1][2:] {
			table[1][2+day] = "5"
		}
	})
	outputs := run(t, "process.yaml", nil, flat)
	assert.Equal(t, "0", text(t, outputs, "improvement"))
	assert.NoFileExists(t, filepath.Join(outputs, "forecast"))
	assert.FileExists(t, filepath.Join(outputs, "page", "report.html"))
}

func TestWhatCannotBeForecastFailsTheProcessWithItsReason(t *testing.T) {
	for says, test := range map[string]struct {
		params map[string]string
		table  string
	}{
		"181 days are too few: the first forecast needs 56 before it": {map[string]string{"validation": "12"}, departures},
		"the parameter horizon is 0: give a number from 1":            {map[string]string{"horizon": "0"}, departures},
		"the table is empty":                              {nil, write(t, "")},
		`line 2: ATL on 2001-01-01 has "many" departures`: {nil, write(t, "airport,city,2001-01-01\nATL,Atlanta,many\n")},
		"the table has no airport":                        {nil, write(t, "airport,city,2001-01-01\n")},
		`the airport "ATL" is in the table twice`:         {nil, write(t, "airport,city,2001-01-01\nATL,x,1\nATL,y,1\n")},
	} {
		_, err := process(t, open(t), "test", "process.yaml", test.params, test.table)
		require.ErrorContains(t, err, says)
	}
}

// open starts a runtime in memory.
func open(t *testing.T) *deed.Runtime {
	t.Helper()
	handlers := worker.NewRegistry()
	steps.Register(handlers)
	r, err := deed.Open(t.Context(), deed.Options{Handlers: handlers})
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

// process runs a definition in a runtime to its end.
func process(t *testing.T, r *deed.Runtime, id, file string, params map[string]string, table string) (*deed.Result, error) {
	t.Helper()
	source, err := deed.ParseFile(file)
	require.NoError(t, err)
	job := deed.Job{Source: source, Params: params, Inputs: map[string]deed.Input{"departures": deed.Files(table)}}
	require.NoError(t, r.Submit(t.Context(), id, job))
	return r.Wait(t.Context(), id, nil)
}

// run is the folder of the outputs.
func run(t *testing.T, file string, params map[string]string, table string) string {
	t.Helper()
	done, err := process(t, open(t), "test", file, params, table)
	require.NoError(t, err)
	dir := t.TempDir()
	_, err = done.Export(t.Context(), dir)
	require.NoError(t, err)
	return dir
}

// check is what the independent check finds; it has to find nothing wrong.
func check(t *testing.T, args ...string) string {
	t.Helper()
	said, err := command(t, "check.py", args...).CombinedOutput()
	require.NoError(t, err, "%s", said)
	return string(said)
}

func command(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("the independent check needs python3")
	}
	return exec.CommandContext(t.Context(), "python3", append([]string{script}, args...)...)
}

func text(t *testing.T, dir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(content)
}

var decimal = regexp.MustCompile(`\d+\.\d+`)

// apart are the words of a picture, and its numbers with a decimal point.
func apart(picture string) (words []string, numbers []float64) {
	for _, number := range decimal.FindAllString(picture, -1) {
		value, _ := strconv.ParseFloat(number, 64) // it looks like one
		numbers = append(numbers, value)
	}
	return decimal.Split(picture, -1), numbers
}

// lines is a table of some lines of another one.
func lines(t *testing.T, path string, numbers ...int) string {
	t.Helper()
	all := strings.SplitAfter(text(t, "", path), "\n")
	var some strings.Builder
	for _, n := range numbers {
		some.WriteString(all[n])
	}
	return write(t, some.String())
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "departures.csv")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func table(t *testing.T, path string) [][]string {
	t.Helper()
	read, err := csv.NewReader(strings.NewReader(text(t, "", path))).ReadAll()
	require.NoError(t, err)
	return read
}

func edit(t *testing.T, path string, change func(table [][]string)) string {
	t.Helper()
	read := table(t, path)
	change(read)
	var changed bytes.Buffer
	require.NoError(t, csv.NewWriter(&changed).WriteAll(read))
	return write(t, changed.String())
}

func columns(t *testing.T, dir, name string, of func(line []string) []string) [][]string {
	t.Helper()
	var all [][]string
	for _, line := range table(t, filepath.Join(dir, name)) {
		if some := of(line); some != nil {
			all = append(all, some)
		}
	}
	return all
}
