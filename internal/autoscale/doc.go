// Package autoscale keeps as many workers of a pool running as its backlog
// wants. A [Scaler] decides how many, step by step, from figures alone; a
// [Supervisor] has the processes: it starts what is missing, replaces what
// died, and drains what is too much.
//
// The way up is a proportional rule, that of the HorizontalPodAutoscaler of
// Kubernetes for an average value: desired = ceil(metric / target). A slot works
// off one second of work a second, so a backlog of B seconds that is to last no
// longer than the target T wants B/T slots. By Little's law a load that keeps n
// slots busy settles at n slots, with a backlog of up to n·T seconds. The number
// rises at once, but at most to twice the workers that live, and one: what is
// started has to show that it lives before it is doubled again.
//
// The way down is slower. Fewer workers have to have been enough at each look of
// the cool-down, which is HPA's stabilization window. Enough are those that have
// the slots which are busy, and those that work off within T what waits beside
// them. B/T alone would not do: the more slots there are, the shorter is the
// backlog that a burst leaves, so that bursts would make the number swing.
//
// More workers are no help where work waits for something else than workers.
// So the number is not raised while slots are free although tasks wait (they
// wait for a rate, for room, for a handler), nor while nothing has ended for a
// long time with all slots taken.
//
// Figures that do not come change nothing: who keeps them may be away, and the
// workers go on with what they have.
package autoscale
