package deed_test

import (
	"bufio"
	"context"
	"fmt"
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
