// Package worker is the data-processing context: it takes tasks from the work
// queue, executes them and reports. It sees one task at a time and never the
// graph of steps.
//
// A handler is a function. It reads its inputs and writes its outputs under
// the local names of the step, and returns an error for a failure:
//
//	reg := worker.NewRegistry()
//	worker.Handle(reg, "words/count", func(ctx context.Context, t *worker.Task) error {
//		in, err := t.Open("text")
//		if err != nil {
//			return err
//		}
//		defer in.Close()
//		return t.Emit("count", countWords(in))
//	})
//
// A step can also run a program in any language: its inputs are files under
// $DEED_IN, and what it leaves under $DEED_OUT are its outputs.
//
// A [Worker] competes with others for messages. In this order:
//
//	receive     only what it has a free slot for, plus a little when tasks are short
//	execute     each task once; a redelivery is reported as lost, never run
//	report      results of tasks that end close together, one message a process
//	acknowledge only after the report is stored
//
// While it holds a message it extends its lease. When the lease is lost
// nevertheless, it cancels the tasks and does not report them: whoever gets the
// message next reports the loss, and the core decides. A crash at any point
// leads to work done twice, never to a result that is lost or half written.
//
// # What a handler must know
//
// A task may run more than once, on several workers at the same time even:
// [Task.ID] is the same for every attempt and serves as idempotency key for
// what a handler does outside. Outputs need no such care, each execution writes
// its own and one counts.
//
// A panic and runtime.Goexit fail the task, not the worker; what the Go runtime
// calls fatal, such as a concurrent write to a map, ends the process. A handler
// that goes on after its context ended is given [Options].Grace; then it is
// reported, and its goroutine abandoned: it goes on burning what it burns, its
// writes fail, and [Worker.Abandoned] counts it.
package worker
