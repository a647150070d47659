// Package metrics is what a process of deed tells Prometheus about itself: the
// instruments of each role, in one [Registry], and what answers a scrape.
//
// A nil *Registry, and the nil instruments that it gives, do nothing, so that no
// caller asks whether anybody measures. What happens is counted where it happens,
// without locks that two goroutines would fight for; what is there at a time, such
// as tasks that wait, is read when somebody asks, from what its owner left for
// that or can say without being held up.
//
// Labels have few values: roles, pools, handlers, outcomes, routes. There is none
// for a process, a task or a worker, however useful one would be, because there is
// no end to those: `deed ps`, `deed why` and traces tell them apart.
//
// The catalogue is all there is; docs/metrics.md shows it.
package metrics
