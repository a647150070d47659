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
// A worker may offer several versions of a handler, "words/count@2" beside
// "words/count": see [Handle]. A step can also run a program in any language, see
// below; [Options].Allow says which.
//
// Tasks that are not for it go back at once, with the reason, and cost no attempt:
// those of another pool, for a handler that it lacks, with a program that it does
// not allow, or that need more than it has. What the tasks that it executes need
// together is never more than [Options].Offer. One that does not fit beside them
// may wait for room, and lets others pass; a second goes back, to be sent again.
//
// A [Worker] competes with others for messages. In this order:
//
//	receive     only what it has a free slot for, plus a little when tasks are short
//	execute     each task once; a redelivery is reported as lost, never run
//	report      results of tasks that end close together, one message a process
//	acknowledge only after the report is stored
//
// Where tasks take less than a millisecond, and a Go handler executes them, a slot
// takes a run of them: one goroutine calls the handler for one after the other,
// and what comes of them is reported together. Nobody else sees a run. Each task
// has its own timeout, and fails alone; as soon as one takes long, those before it
// are reported, and those after it are left to the other slots. Tasks of a message
// that no slot begins within a second go back, to be sent to others.
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
// What a handler starts has to end before it returns: its context may go on, with
// the next task. What `each` gives to a task is looked up when the handler asks for
// it, or writes an output that inherits from it.
//
// An error fails the attempt, and the step's retry settings say what follows:
//
//	an error              another attempt, after the step's backoff
//	RetryAfter(d, err)    another attempt, but not before d has passed
//	Permanent(err)        none
//	a panic               another attempt
//	a timeout             another attempt; the context ends with a cause that says so
//
// When the process, or this round of the step, is cancelled, the context ends
// within a second, and what the handler answers no longer counts.
//
// A panic and runtime.Goexit fail the task, not the worker; what the Go runtime
// calls fatal, such as a concurrent write to a map, ends the process. A handler
// that goes on after its context ended is given [Options].Grace; then it is
// reported, and its goroutine abandoned: it goes on burning what it burns, its
// writes fail, and [Worker.Abandoned] counts it.
//
// # What a program sees and leaves
//
//	$DEED_IN/LOCAL              the element of each: a file
//	$DEED_IN/LOCAL/[KEY/]FILE   a list: a directory of files
//	$DEED_OUT/LOCAL             a file is one part of an output,
//	$DEED_OUT/LOCAL/[KEY/]FILE  a directory many; an empty one means none
//	.                           the files of the definition; scripts and binaries executable
//	$TMPDIR                     room of its own
//	$DEED_TASK_FILE             the task as JSON
//	DEED_TASK, DEED_PROCESS, DEED_ADDRESS, DEED_INDEX, DEED_KEY, DEED_ATTEMPT
//	DEED_PARAM_NAME             the parameters of the process
//	NAME                        the variables of the step, see below
//
// All of that lies in a private directory, which is removed when the program
// has ended. Files keep the names of their parts, or are numbered; names that
// would lead elsewhere are replaced, and those that are taken get a number.
// A script runs by sh -eu. Of the worker's environment a program sees PATH,
// HOME, USER, LOGNAME, SHELL, TERM, LANG, LANGUAGE, LC_*, TZ, TZDIR,
// SSL_CERT_FILE and SSL_CERT_DIR.
//
// What the step sets itself wins over all but DEED_*; a handler reads it by
// [Task.Env]. Some of it may be secrets, which [Options].Secrets finds when the
// task starts, and which are masked in whatever the task prints, logs or fails
// with.
//
// [LayOut] makes the same directory for a person to try a task by hand.
//
// Standard input is empty. Standard output and standard error go to the
// worker's log, at most 1,000 lines of each, and to the log of the attempt; the
// last lines of standard error are in the text of a failure:
//
//	exit code 0            success
//	65 (EX_DATAERR)        another attempt is pointless: as by Permanent
//	75 (EX_TEMPFAIL)       try again later, when the step's backoff says
//	any other, a signal    another attempt
//
// A program has a process group of its own. When its task is over it gets
// SIGTERM, and after a grace SIGKILL; what it leaves running in the group is
// killed. So it is when the worker itself is killed. What leaves the group, as
// daemons do by setsid, is not followed: it goes on, and is nobody's.
//
// # What is kept of what a task prints
//
// What a handler says by [Task.Logf], the stack of its panic, and what a
// program prints are stored as the log of the attempt, which [blob.Store.Logs]
// finds: the first 1 MiB and the last 64 KiB of it, in chunks that can be read
// some two seconds later while the task still runs. A task that prints nothing
// has no log and pays nothing for it. A log that cannot be stored is a warning
// in the worker's log, never a failure.
package worker
