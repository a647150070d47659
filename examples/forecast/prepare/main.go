// Command prepare makes data/departures.csv from two files of the npm package
// vega-datasets 3.2.1, as DATA.md says. It is a module of its own, so that
// nobody who uses deed needs a reader of Parquet.
//
//	npm pack vega-datasets@3.2.1 && tar xzf vega-datasets-3.2.1.tgz
//	go run . package/data/flights-3m.parquet package/data/airports.csv > ../data/departures.csv
package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
)

// The file is cut at three million flights, a few minutes into 1 July: that day
// is left out.
var (
	first = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	days  = 181
	least = 163 // of them with a departure, nine in ten: an airport that is open all the time
)

type flight struct {
	Date   int64  `parquet:"date,optional"` // of departure, in microseconds of local time
	Origin string `parquet:"origin,optional"`
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: prepare flights-3m.parquet airports.csv > departures.csv")
	}
	departures, err := count(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	cities, err := cities(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if err := write(os.Stdout, departures, cities); err != nil {
		log.Fatal(err)
	}
}

// count is the flights that left each airport, day by day.
func count(path string) (map[string][]int, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows := parquet.NewGenericReader[flight](file)
	defer rows.Close()
	departures := map[string][]int{}
	batch := make([]flight, 10_000)
	for {
		n, err := rows.Read(batch)
		for _, f := range batch[:n] {
			day := int(time.UnixMicro(f.Date).Sub(first) / (24 * time.Hour))
			if day < 0 || day >= days {
				continue
			}
			if departures[f.Origin] == nil {
				departures[f.Origin] = make([]int, days)
			}
			departures[f.Origin][day]++
		}
		if errors.Is(err, io.EOF) {
			return departures, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
}

// cities is city and state by the code of the airport.
func cities(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	cities := map[string]string{}
	for _, line := range lines[1:] {
		cities[line[0]] = line[2] + ", " + line[3]
	}
	return cities, nil
}

func write(w io.Writer, departures map[string][]int, cities map[string]string) error {
	header := []string{"airport", "city"}
	for day := range days {
		header = append(header, first.AddDate(0, 0, day).Format(time.DateOnly))
	}
	lines := [][]string{header}
	for _, airport := range slices.Sorted(maps.Keys(departures)) {
		line, open := []string{airport, cities[airport]}, 0
		for _, n := range departures[airport] {
			line = append(line, strconv.Itoa(n))
			if n > 0 {
				open++
			}
		}
		if open >= least {
			lines = append(lines, line)
		}
	}
	return csv.NewWriter(w).WriteAll(lines)
}
