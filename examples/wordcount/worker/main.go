// Command worker is a worker of one's own: it joins whoever serves the folder
// .deed, and offers the handlers that are compiled into it.
//
//	deed run examples/wordcount/process.yaml --in corpus=examples/wordcount/corpus &
//	go run ./examples/wordcount/worker
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/examples/wordcount/words"
	"github.com/deedrun/deed/worker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := work(ctx)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func work(ctx context.Context) error {
	handlers := worker.NewRegistry()
	words.Register(handlers) // yours instead

	w, err := deed.Open(ctx, deed.Options{Dir: ".deed", Join: true, Handlers: handlers})
	if err != nil {
		return err
	}
	defer w.Close()
	<-ctx.Done()
	w.Drain(context.Background()) // finish what runs, hand back the rest
	return nil
}
