//go:build race

package main

// raceDetector makes everything several times slower, and is not after size.
const raceDetector = true
