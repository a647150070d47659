//go:build race

package process

import "flag"

// The core has one goroutine, in which the race detector finds nothing, ten times
// slower; -rapid.checks says otherwise.
func init() {
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
}
