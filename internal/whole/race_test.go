//go:build race

package whole_test

import "flag"

// A world has one goroutine. The race detector finds nothing in the hundredth that
// it would not have found in the thirtieth; -seeds says otherwise.
func init() {
	if err := flag.Set("seeds", "30"); err != nil {
		panic(err)
	}
}
