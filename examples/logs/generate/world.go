package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// line is one of a log, and where it belongs.
type line struct {
	server string
	at     time.Time
	text   string
}

// world is who visits what.
type world struct {
	random   *rand.Rand
	days     int
	pages    []string
	popular  *rand.Zipf
	visitors []visitor
	lines    []line
}

type visitor struct {
	host, agent string
	keen        float64 // sessions a day
	robot       bool
}

var (
	first   = time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)
	topics  = []string{"bread", "beans", "soup", "noodles", "pickles", "rice", "cheese", "cakes", "salads", "tea"}
	sources = []string{"", "", "", "https://search.example/?q=%s", "https://search.example/?q=%s", "https://news.example/today", "https://chat.example/c/%s", "https://cooking.example/links.html"}
	agents  = []string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
		`Reader \"pocket\" 2.1`,
	}
	robots = []string{
		"Mozilla/5.0 (compatible; ExampleBot/2.1; +https://search.example/bot.html)",
		"feedbot/0.4",
	}
)

func newWorld(seed uint64, days, visitors int) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 0)), days: days}
	w.pages = []string{"/"}
	for _, topic := range topics {
		w.pages = append(w.pages, "/"+topic+"/")
		for n := range 24 {
			w.pages = append(w.pages, fmt.Sprintf("/%s/%02d.html", topic, n+1))
		}
	}
	w.popular = rand.NewZipf(w.random, 1.3, 4, uint64(len(w.pages)-1))
	for i := range visitors {
		w.visitors = append(w.visitors, w.visitor(i))
	}
	return w
}

// visitor has an address of the ranges that are kept for examples. Several of them
// share one, as behind the router of a house.
func (w *world) visitor(i int) visitor {
	v := visitor{agent: agents[w.random.IntN(len(agents))], keen: 0.1 + w.random.ExpFloat64()*0.5, robot: i%50 == 7}
	switch n := w.random.IntN(240); w.random.IntN(4) {
	case 0:
		v.host = fmt.Sprintf("192.0.2.%d", n)
	case 1:
		v.host = fmt.Sprintf("198.51.100.%d", n)
	case 2:
		v.host = fmt.Sprintf("203.0.113.%d", n)
	default:
		v.host = fmt.Sprintf("2001:db8:%x::%x", w.random.IntN(1<<12), n)
	}
	if v.robot {
		v.agent, v.keen = robots[w.random.IntN(len(robots))], 4
	}
	return v
}

func (w *world) logs() []line {
	for day := range w.days {
		for _, v := range w.visitors {
			for range w.poisson(v.keen) {
				w.session(v, first.AddDate(0, 0, day).Add(w.hour()))
			}
		}
	}
	for range 3 * w.days { // what a full disk or a scanner leaves
		at := first.Add(time.Duration(w.random.Int64N(int64(w.days) * int64(24*time.Hour)))).Truncate(time.Second)
		whole := w.text(w.visitors[0], at, "GET", "/", 200, 0, "-")
		broken := []string{whole[:20+w.random.IntN(40)], `203.0.113.9 - - [` + at.Format("02/Jan/2006:15:04:05 -0700") + `] "\x16\x03\x01" 400 0 "-" "-"`, ""}
		w.lines = append(w.lines, line{w.server(), at, broken[w.random.IntN(len(broken))]})
	}
	return w.lines
}

// hour is when people come: in the evening more than at night.
func (w *world) hour() time.Duration {
	for {
		h := w.random.Float64() * 24
		if w.random.Float64() < 0.15+0.85*math.Pow(math.Sin(math.Pi*(h-4)/24), 4) {
			return time.Duration(h * float64(time.Hour)).Truncate(time.Second)
		}
	}
}

func (w *world) poisson(mean float64) (n int) {
	for p := w.random.Float64(); p > math.Exp(-mean); n++ {
		p *= w.random.Float64()
	}
	return n
}

// session is some pages, with what they are made of. Whichever server is free answers.
func (w *world) session(v visitor, at time.Time) {
	from := w.source()
	for more := true; more; more = w.random.Float64() < 0.74 {
		path, status := w.pages[w.popular.Uint64()], 200
		switch n := w.random.IntN(100); {
		case n < 4:
			path, status = fmt.Sprintf("/%s/%02d.htm", topics[w.random.IntN(3)], 1+w.random.IntN(8)), 404
		case n < 14:
			status = 304
		case n < 15:
			status = 500
		}
		query := ""
		if w.random.IntN(12) == 0 {
			query = "?page=" + fmt.Sprint(1+w.random.IntN(3))
		}
		w.request(v, at, "GET", path+query, status, from)
		from = "https://kitchen.example" + path
		if !v.robot && status == 200 && w.random.IntN(3) == 0 {
			w.request(v, at.Add(time.Second), "GET", "/static/site.css", 200, from)
			w.request(v, at.Add(time.Second), "GET", "/static/"+topics[w.random.IntN(len(topics))]+".jpg", 200, from)
		}
		if w.random.IntN(60) == 0 {
			w.request(v, at.Add(5*time.Second), "POST", "/comments", 303, from)
		}
		at = at.Add(time.Duration(5+w.random.ExpFloat64()*150) * time.Second)
	}
}

func (w *world) source() string {
	s := sources[w.random.IntN(len(sources))]
	if s == "" {
		return "-"
	}
	return strings.Replace(s, "%s", topics[w.random.IntN(len(topics))], 1)
}

func (w *world) server() string { return [...]string{"web1", "web2"}[w.random.IntN(2)] }

func (w *world) request(v visitor, at time.Time, method, target string, status int, from string) {
	size := 0
	if status == 200 {
		size = 900 + int(w.random.ExpFloat64()*9000)
	}
	w.lines = append(w.lines, line{w.server(), at, w.text(v, at, method, target, status, size, from)})
}

func (w *world) text(v visitor, at time.Time, method, target string, status, size int, from string) string {
	sent := "-"
	if size > 0 {
		sent = fmt.Sprint(size)
	}
	quote := func(s string) string { return `"` + s + `"` } // what is in quotes is escaped already
	request := quote(method + " " + target + " HTTP/1.1")
	return fmt.Sprintf("%s - - [%s] %s %d %s %s %s", v.host, at.Format("02/Jan/2006:15:04:05 -0700"), request, status, sent, quote(from), quote(v.agent))
}
