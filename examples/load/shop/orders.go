package shop

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// PerDay is how many orders come in a day.
const PerDay = 600

// Order is one order; the same ID is the same order.
type Order struct {
	ID       int       `json:"id"`
	Customer string    `json:"customer"`
	Item     string    `json:"item"`
	Cents    int       `json:"cents"`
	Placed   time.Time `json:"placed"`
}

var (
	firsts = []string{"Ada", "Bo", "Chloé", "Dara", "Ewa", "Femi"}
	lasts  = []string{"O'Hara", "Lind", "Nguyễn", "Ito", `Smith, "Jr."`, "Díaz"}
	items  = []string{"kettle", "tea; green", "cup", "tray\\pan", "spoon", "honey 100%"}
)

// Order makes the order of an ID: names have quotes, commas and letters that loaders get wrong.
func order(id int) Order {
	random := rand.New(rand.NewPCG(uint64(id), 7))
	day := time.Date(2026, 11, 1+(id-1)/PerDay, 0, 0, 0, 0, time.UTC)
	return Order{
		ID: id, Cents: 100 + random.IntN(20_000), Item: items[random.IntN(len(items))],
		Customer: fmt.Sprintf("%s %s", firsts[random.IntN(len(firsts))], lasts[random.IntN(len(lasts))]),
		Placed:   day.Add(time.Duration((id-1)%PerDay) * 24 * time.Hour / PerDay),
	}
}

// Feed is what the service has on a day, from 1: the orders of that day and of the
// day before.
func Feed(day int) []Order {
	var feed []Order
	for id := max(0, day-2)*PerDay + 1; id <= day*PerDay; id++ {
		feed = append(feed, order(id))
	}
	return feed
}
