// Package arch holds the rules of the project that a compiler does not know:
// which package may import which, where no clock and no random source may be,
// and that every package says what it is. They are tests of this package, over
// the source of the whole module.
package arch
