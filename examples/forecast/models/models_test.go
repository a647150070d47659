package models

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// week is a pattern of seven different days.
var week = []int{50, 52, 51, 53, 55, 30, 40}

// weeks repeats it, so many days long.
func weeks(days int) []int {
	y := make([]int, days)
	for t := range y {
		y[t] = week[t%Week]
	}
	return y
}

func model(t *testing.T, name string) Model {
	t.Helper()
	i := slices.IndexFunc(All, func(m Model) bool { return m.Name == name })
	require.NotEqual(t, -1, i)
	return All[i]
}

func TestEveryModel(t *testing.T) {
	for _, m := range All {
		t.Run(m.Name+" goes on with a pattern that never changed, on whatever weekday it is asked", func(t *testing.T) {
			long := weeks(100 + 20)
			for days := 90; days <= 100; days++ {
				forecast, err := m.Forecast(long[:days], 20)
				require.NoError(t, err)
				assert.Equal(t, long[days:days+20], forecast)
			}
		})
		t.Run(m.Name+" is the same twice, and leaves the history as it was", func(t *testing.T) {
			history := weeks(80)
			history[77] = 0
			kept := slices.Clone(history)
			first, err := m.Forecast(history, 14)
			require.NoError(t, err)
			second, err := m.Forecast(history, 14)
			require.NoError(t, err)
			assert.Equal(t, first, second)
			assert.Equal(t, kept, history)
		})
		t.Run(m.Name+" never says less than nothing", func(t *testing.T) {
			falling := make([]int, 80)
			for day := range falling {
				falling[day] = max(0, 320-4*day)
			}
			forecast, err := m.Forecast(falling, 60)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, slices.Min(forecast), 0)
		})
		t.Run(m.Name+" forecasts nothing of an airport without flights", func(t *testing.T) {
			forecast, err := m.Forecast(make([]int, MinHistory), 3)
			require.NoError(t, err)
			assert.Equal(t, []int{0, 0, 0}, forecast)
		})
		t.Run(m.Name+" refuses a history that is too short, and says how long it has to be", func(t *testing.T) {
			_, err := m.Forecast(weeks(MinHistory-1), 14)
			assert.ErrorContains(t, err, "forecast by "+m.Name+": a history of 55 days; at least 56 are needed")
		})
	}
	for _, name := range []string{"profile", "winters", "theta"} {
		t.Run(name+" is not put off by a day on which it snowed, as naive is", func(t *testing.T) {
			long := weeks(100 + 14)
			history := slices.Clone(long[:100])
			history[97] = 0
			forecast, err := model(t, name).Forecast(history, 14)
			require.NoError(t, err)
			assert.Equal(t, long[100:], forecast)
			forecast, err = model(t, "naive").Forecast(history, 14)
			require.NoError(t, err)
			assert.NotEqual(t, long[100:], forecast)
		})
	}
}

func TestProfileTakesTheLevelFromTheLastWeekAlone(t *testing.T) {
	history := weeks(91)
	for day := 84; day < 91; day++ {
		history[day] += 10
	}
	forecast, err := model(t, "profile").Forecast(history, 7)
	require.NoError(t, err)
	assert.Equal(t, history[84:], forecast)
}

func TestWintersIsTheMethodOfTheTextbook(t *testing.T) {
	// The textbook writes it with components; the error correction form of the
	// same smoothing has gamma·(1−alpha) for the season.
	const alpha, beta, gamma = 0.3, 0.2, 0.15
	y := noisy(120)
	s := begin(y)
	level, trend, season := s.level, s.trend, s.season
	squares := 0.0
	for t := 2 * Week; t < len(y); t++ {
		d, before := t%Week, level
		err := y[t] - (level + wintersDamping*trend + season[d])
		squares += err * err
		level = alpha*(y[t]-season[d]) + (1-alpha)*(level+wintersDamping*trend)
		trend = beta*(level-before) + (1-beta)*wintersDamping*trend
		season[d] = gamma*(y[t]-level) + (1-gamma)*season[d]
	}
	got := s.run(y, alpha, beta, gamma*(1-alpha))
	assert.InDelta(t, squares, got, 1e-6)
	assert.InDelta(t, level, s.level, 1e-9)
	assert.InDelta(t, trend, s.trend, 1e-9)
	assert.InDeltaSlice(t, season[:], s.season[:], 1e-9)
}

func TestThetaIsTheMeanOfItsTwoLines(t *testing.T) {
	y := noisy(120)
	for i := range y {
		y[i] += 0.3 * float64(i)
	}
	cleaned := Clean(y)
	season := weekdays(cleaned)
	z := make([]float64, len(y))
	for i, v := range cleaned {
		z[i] = v - season[i%Week]
	}
	alpha, _ := smooth(z)
	b := slope(z)
	straight := func(i int) float64 { return mean(z) + b*(float64(i)-float64(len(z)-1)/2) } // theta 0
	level := 2*z[0] - straight(0)                                                           // theta 2, smoothed
	for i := 1; i < len(z); i++ {
		level += alpha * (2*z[i] - straight(i) - level)
	}
	for h, got := range theta(y, 14) {
		assert.InDelta(t, (straight(len(z)+h)+level)/2+season[(len(z)+h)%Week], got, 1e-9)
	}
}

func TestWeekdaysAreWhatThePatternIsAboveItsMean(t *testing.T) {
	y := make([]float64, 70)
	for i, n := range weeks(70) {
		y[i] = float64(n) + 0.5*float64(i) // a trend is not of the week
	}
	season := weekdays(y)
	sum := 0.0
	for d, s := range season {
		assert.InDelta(t, float64(week[d])-331.0/7, s, 1e-9)
		sum += s
	}
	assert.InDelta(t, 0, sum, 1e-9)
}

func TestClean(t *testing.T) {
	y := noisy(90)
	t.Run("a day far from its neighbours becomes the usual one", func(t *testing.T) {
		snow := slices.Clone(y)
		snow[44] = 0
		cleaned := Clean(snow)
		assert.InDelta(t, y[44], cleaned[44], 3)
		assert.Zero(t, snow[44], "what was given is kept")
	})
	t.Run("a new timetable is none", func(t *testing.T) {
		summer := slices.Clone(y)
		for day := 49; day < len(summer); day++ {
			summer[day] += 30
		}
		assert.Equal(t, summer[56:], Clean(summer)[56:])
	})
	t.Run("a flight more or less is none, even where nothing ever varied", func(t *testing.T) {
		flat := slices.Repeat([]float64{6}, 80)
		flat[40] = 5
		assert.Equal(t, flat, Clean(flat))
		flat[40] = 2
		assert.Equal(t, slices.Repeat([]float64{6}, 80), Clean(flat))
	})
}

func TestCombineIsTheMedianOfEachDayAndRoundsHalvesUp(t *testing.T) {
	assert.Equal(t, []int{3, 2}, Combine([]int{1, 9}, []int{2, 0}, []int{3, 1}, []int{99, 2}))
	assert.Equal(t, []int{2}, Combine([]int{7}, []int{1}, []int{2}))
}

// noisy is a series with a pattern and something on top that does not repeat,
// but is always the same.
func noisy(days int) []float64 {
	y := make([]float64, days)
	for t, n := range weeks(days) {
		y[t] = float64(n) + 1.5*math.Sin(float64(t*t))
	}
	return y
}
