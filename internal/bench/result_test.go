package bench

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sample is a result of three rounds with known medians.
func sample() *Result {
	r := &Result{Scenario: "fanout", N: 100, Machine: Machine{CPUs: 2}, Params: json.RawMessage(`{"n":100}`), Subjects: []string{"raw", "ranges"}}
	for _, rate := range []float64{300, 100, 200} {
		r.add(map[string]Measure{
			"raw":    {Tasks: 100, TasksPS: rate, Seconds: 100 / rate, CPU: 2, CPUTask: 10, P50: 400},
			"ranges": {Tasks: 100, TasksPS: 10 * rate, Seconds: 10 / rate, CPU: 1, CPUTask: 5, P50: 1000, Also: map[string]float64{"import_seconds": rate}, Course: map[string][]float64{"rss_bytes": {rate}}},
		})
	}
	return r
}

func TestOfRoundsTheMedianOfEachFigureCounts(t *testing.T) {
	r := sample()
	require.Equal(t, 3, r.Rounds)
	ranges := r.Measures["ranges"]
	require.InDelta(t, 200, r.Measures["raw"].TasksPS, 1e-9)
	require.InDelta(t, 2000, ranges.TasksPS, 1e-9)
	require.InDelta(t, 10, ranges.Ratio, 1e-9)
	require.InDelta(t, 0.5, ranges.CPURatio, 1e-9)
	require.InDelta(t, 2.5, ranges.P50Ratio, 1e-9)
	require.InDelta(t, 0.1, ranges.SecondsRatio, 1e-9)
	require.InDelta(t, 200, ranges.Also["import_seconds"], 1e-9)
	require.Equal(t, []float64{200}, ranges.Course["rss_bytes"], "a course is that of one round")
	require.InDelta(t, 2.5, middle([]float64{4, 1, 3, 2}), 1e-9)
}

func TestAResultReadAgainIsTheSame(t *testing.T) {
	r := sample()
	text, err := json.Marshal(r)
	require.NoError(t, err)
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &members))
	for _, name := range []string{"scenario", "n", "rounds", "machine", "settings", "params", "raw", "ranges", "all_rounds"} {
		require.Contains(t, members, name)
	}
	var again Result
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, *r, again)
	require.ErrorContains(t, json.Unmarshal([]byte(`{"raw": {}}`), new(Result)), "names no scenario")
	require.ErrorContains(t, json.Unmarshal([]byte(`{"scenario": "fanout", "subjects": ["raw"]}`), new(Result)), `of "raw" there is no measure`)
}

func TestPercentilesAreOfTheNearestRank(t *testing.T) {
	var times []time.Duration
	for i := range 200 {
		times = append(times, time.Duration(200-i)*time.Microsecond)
	}
	var m Measure
	m.latencies(times)
	require.InDelta(t, 100, m.P50, 1e-9)
	require.InDelta(t, 198, m.P99, 1e-9)
	m.latencies(nil)
	require.Zero(t, m.P50)
}

func TestWhatRanTwiceOrNeverIsNoMeasure(t *testing.T) {
	tally := newTally(40)
	for i := range 39 {
		tally.note(i)
	}
	require.ErrorContains(t, tally.check(), "task 39 of 40 never invoked its handler")
	tally.note(39)
	require.NoError(t, tally.check())
	tally.note(7)
	require.ErrorContains(t, tally.check(), "40 tasks invoked their handlers 41 times")
}

func TestTwoResultsAreComparedFigureByFigure(t *testing.T) {
	before, after := sample(), sample()
	for _, round := range sample().All {
		m := round["ranges"]
		m.TasksPS *= 2
		round["ranges"] = m
		after.add(round)
		after.add(round)
	}
	c, err := Compare(before, after)
	require.NoError(t, err)
	require.Empty(t, c.Warnings)
	require.Contains(t, c.Changes, Change{"raw", "tasks_per_s", 200, 200, 1})
	require.Contains(t, c.Changes, Change{"ranges", "cpu_us_per_task", 5, 5, 1})
	require.Contains(t, c.Changes, Change{"ranges", "import_seconds", 200, 200, 1})
	require.Contains(t, c.Table(), []string{"ranges", "p50_ratio_to_raw", "2.50x", "2.50x", "1.00x"})

	after.N, after.Subjects = 7, []string{"raw"}
	c, err = Compare(before, after)
	require.NoError(t, err)
	require.Equal(t, []string{"n: 100 before, 7 after", "ranges: not measured after"}, c.Warnings)
	after.Scenario = "chain"
	_, err = Compare(before, after)
	require.ErrorContains(t, err, "one is of fanout, the other of chain")
}

func TestATableHasTheColumnsThatWereMeasured(t *testing.T) {
	require.Equal(t, [][]string{
		{"", "TASKS/S", "TO RAW", "SECONDS", "CPU", "CPU/TASK", "P50", "TO RAW", "IMPORT"},
		{"raw", "200", "-", "500ms", "2s", "10µs", "400µs", "-", "-"},
		{"ranges", "2,000", "10.0x", "50ms", "1s", "5µs", "1ms", "2.50x", "3m20s"},
	}, sample().Table())
}

func TestWhereNoRateIsMeasuredTimesAreCompared(t *testing.T) {
	r := &Result{Subjects: []string{"plain", "deed"}}
	r.add(map[string]Measure{"plain": {Seconds: 2, CPU: 1}, "deed": {Seconds: 3, CPU: 4}})
	require.Equal(t, [][]string{
		{"", "SECONDS", "TO PLAIN", "CPU", "TO PLAIN"},
		{"plain", "2s", "-", "1s", "-"},
		{"deed", "3s", "1.50x", "4s", "4.00x"},
	}, r.Table())
}

func TestFiguresAreShort(t *testing.T) {
	for want, got := range map[string]string{
		"1,234,568": Count(1234567.8), "12.3": Count(12.34), "12": Count(12), "999": digits(999.4),
		"1.00 kB": inUnit("_bytes", 999.9), "44.2 B": inUnit("_bytes", 44.2), "1.23 GB": inUnit("_bytes", 1.23e9),
		"12.3ms": inUnit("_us", 12345), "1.23s": inUnit("_seconds", 1.234), "0.00%": inUnit("_percent", 0),
	} {
		require.Equal(t, want, got)
	}
}
