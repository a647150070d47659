// Package aggregate is deed's own specifications: the rules of the process
// aggregate, one file a feature. They are deed's tests, its documentation
// (docs/specs.md) and what `deed spec` prints.
package aggregate
