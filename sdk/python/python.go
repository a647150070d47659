// Package python has deed.py, by which a function in Python is a handler: one file
// without dependencies, which travels with a definition and is written by
// `deed python > deed.py`. What it does, and how it is tested, is said in it.
package python

import _ "embed" // which puts the file below into the binary

// File is deed.py.
//
//go:embed deed.py
var File []byte
