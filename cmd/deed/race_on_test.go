//go:build race

package main

import "flag"

// raceDetector makes everything several times slower, and is not after size.
const raceDetector = true

// Nor is it after the moments of kills: fewer rounds run the same code; -soak says otherwise.
func init() {
	if err := flag.Set("soak", "3"); err != nil {
		panic(err)
	}
}
