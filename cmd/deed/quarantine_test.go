package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/queue"
)

// misdirect is a command of the scripts: `misdirect KEY FILE` puts what a
// file holds into the inbox of the folder .deed, as a program gone wrong might.
func misdirect(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: misdirect KEY FILE")
	}
	ctx := context.Background()
	r, err := deed.Open(ctx, deed.Options{Dir: ts.MkAbs(".deed"), ReadOnly: true})
	ts.Check(err)
	defer r.Close()
	body, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Check(r.Inbox.Send(ctx, queue.Message{Key: args[0], Body: body}))
}

func TestWhatLiesInAMessageNeverSteersATerminal(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":[1,"\u001b[31m"]}`: "{\n  \"a\": [\n    1,\n    \"\\u001b[31m\"\n  ]\n}",
		"\"\u009b31m\"":          "\" 31m\"",
		"":                       "(it is empty)",
	} {
		require.Equal(t, want, readable([]byte(body)))
	}
	dump := readable([]byte("no json\x1b[2J\x00"))
	require.Contains(t, dump, "6e 6f 20 6a 73 6f 6e")
	require.NotContains(t, dump, "\x1b")
	require.NotContains(t, dump, "\x00")
}
