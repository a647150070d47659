package shop

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"
)

// repeated is how many orders of a page come again on the next one.
const repeated = 5

// API answers GET /orders?cursor=&limit=100. Pages overlap, as those of services that
// promise to leave nothing out, and after the last one comes an empty one.
type API struct {
	Day     int
	Trouble bool // of seven requests one fails with 500, one with 503, and one answer is cut off

	requests atomic.Int64
}

// Requests is how many there were.
func (a *API) Requests() int { return int(a.requests.Load()) }

type page struct {
	Orders []Order `json:"orders"`
	Next   string  `json:"next"`
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := a.requests.Add(1)
	if r.URL.Path != "/orders" {
		http.NotFound(w, r)
		return
	}
	if a.Trouble && n%7 == 2 {
		http.Error(w, "the shop is confused", http.StatusInternalServerError)
		return
	}
	if a.Trouble && n%7 == 4 {
		http.Error(w, "the shop is crowded", http.StatusServiceUnavailable)
		return
	}
	limit, limitErr := strconv.Atoi(r.URL.Query().Get("limit"))
	after, err := strconv.Atoi("0" + r.URL.Query().Get("cursor"))
	feed := Feed(a.Day)
	if limitErr != nil || limit < 1 || err != nil || after > len(feed) {
		http.Error(w, "cursor is that of the page before, and limit a number from 1", http.StatusBadRequest)
		return
	}
	p := page{Orders: []Order{}}
	if after < len(feed) {
		end := min(after+limit, len(feed))
		p = page{feed[max(0, after-repeated):end], strconv.Itoa(end)}
	}
	body, err := json.Marshal(p)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if a.Trouble && n%7 == 6 {
		body = body[:len(body)/2] // less than announced: the connection is closed
	}
	_, _ = w.Write(body) // whoever asked may be gone
}
