package deed_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker"
)

// A process in a Go program, with nothing installed: two steps, a fan-out and
// a join.
func Example() {
	handlers := worker.NewRegistry()
	worker.HandleJSON(handlers, "hello/greet", func(_ context.Context, name string) (string, error) {
		return "Hello, " + name + "!", nil
	})
	worker.HandleJSON(handlers, "hello/join", func(_ context.Context, greetings []string) (string, error) {
		return strings.Join(greetings, " "), nil
	})

	source := deed.MustParse(`
deed: v1
name: hello
inputs: [names]
steps:
  greet: {run: hello/greet, each: names, out: [greetings]}
  join:  {run: hello/join, in: [greetings], out: [text]}
outputs: [text]
`)
	ctx := context.Background()
	result, err := deed.Run(ctx, source, handlers, map[string]deed.Input{"names": deed.Values("Ann", "Bo")})
	if err != nil {
		fmt.Println(err)
		return
	}
	var text string
	if err := result.Value(ctx, "text", &text); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(text)
	// Output: Hello, Ann! Hello, Bo!
}

// Handlers stream: parts are read and written without holding them in memory.
func Example_streams() {
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "lines/number", func(_ context.Context, t *worker.Task) error {
		in, err := t.Open("text")
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := t.Create("numbered")
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(in)
		for n := 1; lines.Scan(); n++ {
			fmt.Fprintf(out, "%d %s\n", n, lines.Text())
		}
		if err := lines.Err(); err != nil {
			return err
		}
		return out.Close()
	})
	source := deed.MustParse("deed: v1\nname: number\ninputs: [text]\nsteps: {number: {run: lines/number, each: text, out: [numbered]}}\noutputs: [numbered]\n")

	ctx := context.Background()
	input := deed.Stream(strings.NewReader("to be\nor not to be\n"))
	result, err := deed.Run(ctx, source, handlers, map[string]deed.Input{"text": input})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := result.Text(ctx, "numbered")
	fmt.Print(text, err)
	// Output:
	// 1 to be
	// 2 or not to be
	// <nil>
}

// A runtime on a folder: what was not finished when the program ended goes on when
// the folder is opened again, and the same job under the same ID is the same process.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "deed-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	handlers := worker.NewRegistry()
	worker.HandleJSON(handlers, "numbers/square", func(_ context.Context, n int) (int, error) { return n * n, nil })
	source := deed.MustParse("deed: v1\nname: squares\ninputs: [n]\nsteps: {square: {run: numbers/square, each: n, out: [squares]}}\noutputs: [squares]\n")
	job := deed.Job{Source: source, Inputs: map[string]deed.Input{"n": deed.Values(1, 2, 3)}}

	ctx := context.Background()
	for range 2 {
		r, err := deed.Open(ctx, deed.Options{Dir: dir, Handlers: handlers, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := r.Submit(ctx, "squares-1", job); err != nil {
			fmt.Println(err)
		}
		result, err := r.Wait(ctx, "squares-1", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		for part, err := range result.Parts(ctx, "squares") {
			fmt.Println(string(part.Value), err)
		}
		r.Close()
	}
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
}

// A process that fails says why; a definition that is at fault is refused with
// everything that is wrong with it.
func ExampleRun_errors() {
	handlers := worker.NewRegistry()
	worker.HandleJSON(handlers, "numbers/halve", func(_ context.Context, n int) (int, error) {
		if n%2 != 0 {
			return 0, worker.Permanent(fmt.Errorf("%d is odd", n))
		}
		return n / 2, nil
	})
	ctx := context.Background()
	source := deed.MustParse("deed: v1\nname: halves\ninputs: [n]\nsteps: {halve: {run: numbers/halve, each: n, out: [halves]}}\noutputs: [halves]\n")
	_, err := deed.Run(ctx, source, handlers, map[string]deed.Input{"n": deed.Values(2, 3)})
	var failed *deed.FailedError
	if errors.As(err, &failed) {
		at := failed.Failure
		fmt.Printf("%s[%d]: %s\n", at.Address, at.Index, at.Reason)
	}

	_, err = deed.Parse("deed: v1\nname: halves\nsteps: {halve: {run: numbers/halve, each: numbers, out: [halves]}}\noutputs: [halves]\n")
	var faults *deed.FaultsError
	if errors.As(err, &faults) {
		for _, f := range faults.Faults {
			fmt.Println(f)
		}
	}
	// Output:
	// halve[1]: failed for good: 3 is odd
	// definition:3:43: halve: nobody writes "numbers"
}
