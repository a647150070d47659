package metrics_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/metrics"
)

var update = flag.Bool("update", false, "write the tables of docs/metrics.md")

const docsFile = "../../docs/metrics.md"

// What the catalogue calls roles, as headings.
var headings = []struct{ role, text string }{
	{"everybody", "Every role"},
	{"orchestrator", "Orchestrators (`deed serve`, `deed up`)"},
	{"worker", "Workers (`deed worker`, `deed up`)"},
	{"api", "The API (`deed serve`, `deed up`)"},
	{"queues", "Queues and stores (`deed serve`, `deed up`)"},
	{"nats", "Connections to NATS"},
	{"listener", "Certificates"},
	{"autoscale", "`deed autoscale`"},
}

func tables() string {
	var b strings.Builder
	for _, h := range headings {
		fmt.Fprintf(&b, "\n### %s\n\n| metric | kind | labels | what it is |\n|---|---|---|---|\n", h.text)
		for _, m := range metrics.Catalogue {
			if m.Role == h.role {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Kind, strings.Join(m.Labels, ", "), m.Help)
			}
		}
	}
	return b.String()
}

func TestThePageOfMetricsShowsTheCatalogue(t *testing.T) {
	const begin, end = "<!-- catalogue: go test ./internal/metrics -run Page -update -->\n", "\n<!-- end of the catalogue -->"
	content, err := os.ReadFile(docsFile)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(content), begin)
	require.True(t, ok, "%s has no %q", docsFile, begin)
	shown, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no %q", docsFile, end)
	if *update {
		require.NoError(t, os.WriteFile(docsFile, []byte(before+begin+tables()+end+after), 0o644)) //nolint:gosec // a page for everybody
		return
	}
	require.Equal(t, tables(), shown, "`go test ./internal/metrics -run Page -update` brings the page up to date")
	for _, m := range metrics.Catalogue {
		require.Contains(t, shown, "`"+m.Name+"`", "its role has a heading")
	}
}
