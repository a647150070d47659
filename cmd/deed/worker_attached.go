package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// attachedFlag declares what makes a worker leave with whoever started it. It is
// not for people: theirs end with the terminal.
func (a *app) attachedFlag(cmd *cobra.Command, attached *bool) {
	cmd.Flags().BoolVar(attached, "attached", false, "leave when standard input ends")
	_ = cmd.Flags().MarkHidden("attached") // it is there
}

// whileAttached is a context that ends when standard input does: it is a pipe of
// whoever started this process, and ends when that one does, however. What is
// said then has nobody to read it, which must not end the process before it has
// left in good order.
func (a *app) whileAttached(ctx context.Context) (context.Context, context.CancelFunc) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // not Ignore: programs would inherit that
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, a.stdin) // until its end, or an error: then nobody is there either
		cancel()
	}()
	return ctx, cancel
}
