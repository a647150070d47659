package bench

import (
	"math"
	"slices"
	"time"
)

// Measure is what one subject did and used. Zero is not measured; without Tasks a
// time is what counts, not a rate.
type Measure struct {
	Tasks    int64   `json:"tasks"`
	TasksPS  float64 `json:"tasks_per_s"`
	Seconds  float64 `json:"seconds"`
	CPU      float64 `json:"cpu_seconds"` // of the whole child, while the clock ran
	CPUTask  float64 `json:"cpu_us_per_task"`
	Memory   int64   `json:"peak_memory_bytes"` // of the child's whole life
	Disk     int64   `json:"disk_bytes"`        // that its folder has at its end
	DiskTask float64 `json:"disk_bytes_per_task"`
	Invoked  int64   `json:"invoked,omitempty"` // calls of handlers, counted by them

	// Of a latency, in microseconds.
	P50 float64 `json:"p50_us,omitempty"`
	P99 float64 `json:"p99_us,omitempty"`

	// Other figures, by names that end in their unit: _seconds, _us, _bytes,
	// _percent; and others yet that are a course in time, of the median round.
	Also   map[string]float64   `json:"also,omitempty"`
	Course map[string][]float64 `json:"course,omitempty"`

	// Of the medians, and in each round of the round.
	Ratio        float64 `json:"ratio_to_raw,omitempty"` // of tasks_per_s: more is faster
	CPURatio     float64 `json:"cpu_ratio_to_raw,omitempty"`
	P50Ratio     float64 `json:"p50_ratio_to_raw,omitempty"`
	P99Ratio     float64 `json:"p99_ratio_to_raw,omitempty"`
	SecondsRatio float64 `json:"seconds_ratio_to_raw,omitempty"` // 1/ratio_to_raw
}

// clock measures from its start to its stop.
type clock struct {
	began time.Time
	cpu   time.Duration
}

// startClock begins a measure.
func startClock() clock { return clock{time.Now(), cpuTime()} }

// stop is the measure of so many tasks done since the start.
func (c clock) stop(tasks int64) Measure {
	took, cpu := time.Since(c.began).Seconds(), (cpuTime() - c.cpu).Seconds()
	return Measure{
		Tasks: tasks, Seconds: took, TasksPS: float64(tasks) / took,
		CPU: cpu, CPUTask: ratio(1e6*cpu, float64(tasks)), // none, where it is not tasks that count
	}
}

// latencies sets the percentiles to those of the times, which it sorts.
func (m *Measure) latencies(times []time.Duration) {
	slices.Sort(times)
	m.P50, m.P99 = percentile(times, 50), percentile(times, 99)
}

// Percentile p of sorted times by the nearest rank, in microseconds.
func percentile(sorted []time.Duration, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return float64(sorted[max(rank, 1)-1]) / float64(time.Microsecond)
}

// compare sets the ratios to what the base did.
func (m *Measure) compare(base Measure) {
	m.Ratio, m.CPURatio = ratio(m.TasksPS, base.TasksPS), ratio(m.CPU, base.CPU)
	m.P50Ratio, m.P99Ratio = ratio(m.P50, base.P50), ratio(m.P99, base.P99)
	m.SecondsRatio = ratio(m.Seconds, base.Seconds)
}

func ratio(a, b float64) float64 {
	if b == 0 || math.IsInf(a/b, 0) {
		return 0
	}
	return a / b
}

// median is the median of each figure by itself.
func median(rounds []Measure) Measure {
	of := func(figure func(Measure) float64) float64 {
		values := make([]float64, len(rounds))
		for i, m := range rounds {
			values[i] = figure(m)
		}
		return middle(values)
	}
	m := Measure{
		Tasks:    int64(of(func(m Measure) float64 { return float64(m.Tasks) })),
		TasksPS:  of(func(m Measure) float64 { return m.TasksPS }),
		Seconds:  of(func(m Measure) float64 { return m.Seconds }),
		CPU:      of(func(m Measure) float64 { return m.CPU }),
		CPUTask:  of(func(m Measure) float64 { return m.CPUTask }),
		Memory:   int64(of(func(m Measure) float64 { return float64(m.Memory) })),
		Disk:     int64(of(func(m Measure) float64 { return float64(m.Disk) })),
		DiskTask: of(func(m Measure) float64 { return m.DiskTask }),
		Invoked:  int64(of(func(m Measure) float64 { return float64(m.Invoked) })),
		P50:      of(func(m Measure) float64 { return m.P50 }),
		P99:      of(func(m Measure) float64 { return m.P99 }),
	}
	for name := range rounds[0].Also {
		if m.Also == nil {
			m.Also = map[string]float64{}
		}
		m.Also[name] = of(func(m Measure) float64 { return m.Also[name] })
	}
	byRate := slices.SortedFunc(slices.Values(rounds), func(a, b Measure) int { return int(math.Copysign(1, a.TasksPS-b.TasksPS)) })
	m.Course = byRate[len(byRate)/2].Course
	return m
}

// middle sorts the values; of an even number it is the mean of the middle two.
func middle(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
