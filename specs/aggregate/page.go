package aggregate

import "github.com/deedrun/deed/specs"

// Page is docs/specs.md.
func Page() string {
	return specs.Markdown("The rules of a process", introduction, Features()...)
}

const introduction = `This page is rendered from the specifications in ` + "`specs/aggregate`" + ` by
` + "`make specs`" + `; a test fails when it is out of date. Each rule is run against the real
core: *given* what happened, *when* somebody asks for something, *then* these
events follow, all of them and no others. *Send* is what the core asks for after
them, where a rule is about that.

A process is a graph of **steps**; a step fans out into **tasks**; ` + "`count[3]`" + ` is task 3
of the step at the address ` + "`count`" + `. A task is executed at one **attempt** after the
other, until one is **confirmed**: its result counts, once. When the last task of a
step is confirmed, what it wrote is **sealed**, and the steps that read it start. A
step that has to run again begins anew as its next **generation**; results of an older
one are told apart and dropped. Workers, timers and people only report and ask;
everything is decided here, by the root, which alone knows the whole graph.

**What becomes of a task that does not go straight through:**

| what happens to it | what follows | told under |
|---|---|---|
| it fails | another attempt after a wait; at the last one it ends for good | failures and retries |
| it says that trying again is pointless | it ends for good | failures and retries |
| it runs longer than its timeout | its worker stops it, and that is a failure | timeouts |
| its worker cannot even stop it | the timeout manager asks, and it is given up: another attempt at once | timeouts |
| its worker dies, or stands still | lost when the lease has run out: another attempt at once; at the sixth loss it ends for good | lost workers |
| it waits on the queue | nothing: that is not execution; its message is sent again if it got lost | |
| its result comes late, twice, or from an attempt that was given up | the first result counts, whichever it is | duplicates and late results |
| it ends for good | skipped, if its step tolerates that; else the process fails: what waits is dropped, what runs is stopped | failures that a step tolerates |
| the process misses its deadline | it fails likewise | the deadline of a process |
| a person pauses or cancels the process | nothing more is scheduled; or it ends | pausing and resuming, cancelling |
| it has ended for good, and a person wants it all the same | a fresh budget of attempts and losses; the process goes on | retrying by hand |
| its result was wrong | its step, and what follows from it, begins anew | restarting from a step |
| its definition was wrong | another one takes its place, for all that has not completed | another definition while it runs |`
