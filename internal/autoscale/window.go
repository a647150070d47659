package autoscale

import "time"

// window remembers how many workers were wanted at each look of the cool-down,
// as far as it matters for the highest: an older wish that is not above a later
// one can never be the highest again. So it holds at most as many as numbers
// are possible.
type window struct {
	length time.Duration
	since  time.Time // of the first wish of all
	wishes []wish    // falling numbers, rising times
}

type wish struct {
	at time.Time
	n  int
}

func (w *window) add(now time.Time, n int) {
	if w.since.IsZero() {
		w.since = now
	}
	for len(w.wishes) > 0 && w.wishes[len(w.wishes)-1].n <= n {
		w.wishes = w.wishes[:len(w.wishes)-1]
	}
	w.wishes = append(w.wishes, wish{now, n})
	for w.wishes[0].at.Before(now.Add(-w.length)) {
		w.wishes = w.wishes[1:]
	}
}

// highest is the highest number wanted within the length of the window; false:
// it has not looked for so long yet.
func (w *window) highest(now time.Time) (n int, ok bool) {
	if len(w.wishes) == 0 || now.Sub(w.since) < w.length {
		return 0, false
	}
	return w.wishes[0].n, true
}
