// Package page draws a forecast and its back-test as one HTML file, which
// needs nothing else: no script, no font, no network.
package page
