package storetest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the table of behaviours in docs/event-store.md anew")

const (
	tableBegins = "<!-- behaviours: written by go test ./events/storetest -update -->\n"
	tableEnds   = "<!-- end of behaviours -->\n"
)

// table is each behaviour beside the broken store that it finds.
func table() string {
	is := map[string]string{}
	for _, f := range flaws {
		is[f.behaviour] = f.is
	}
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&b, "\n| %s | found by it alone: a store in which |\n|---|---|\n", g.name)
		for _, behaviour := range g.behaviours {
			fmt.Fprintf(&b, "| %s | %s |\n", behaviour.name, is[behaviour.name])
		}
	}
	return b.String() + "\n"
}

func TestTheDocumentationListsEachBehaviourAndItsBrokenStore(t *testing.T) {
	name := filepath.Join("..", "..", "docs", "event-store.md")
	page, err := os.ReadFile(name)
	require.NoError(t, err)
	before, rest, begins := strings.Cut(string(page), tableBegins)
	listed, after, ends := strings.Cut(rest, tableEnds)
	require.True(t, begins && ends, "%s has the two lines around the table", name)
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(before+tableBegins+table()+tableEnds+after), 0o644))
		return
	}
	require.Equal(t, table(), listed, "run: go test ./events/storetest -run Documentation -update")
}
