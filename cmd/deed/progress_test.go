package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// showing is the progress of a process that has just begun, with independent steps.
func showing(t *testing.T, addresses ...string) *progress {
	t.Helper()
	def := definition.Definition{Name: "p"}
	for _, a := range addresses {
		def.Steps = append(def.Steps, definition.Step{Address: a, Run: task.Run{Shell: "true"}})
	}
	events, err := process.Decide(process.State{}, process.StartProcess{ID: "p", Definition: def, At: time.Unix(1, 0)})
	require.NoError(t, err)
	return &progress{app: &app{stderr: &bytes.Buffer{}}, id: "p", state: process.Fold(process.State{}, events...)}
}

func TestProgress(t *testing.T) {
	t.Run("on a wide terminal every bar is whole and aligned", func(t *testing.T) {
		p := showing(t, "count", "clean/dedupe")
		bar := strings.Repeat("░", 30)
		assert.Equal(t, []string{"count        " + bar + " 0/1", "clean/dedupe " + bar + " 0/1"}, p.barLines(100))
	})

	t.Run("on a narrow one the numbers stay", func(t *testing.T) {
		p := showing(t, "count", "clean/"+strings.Repeat("very-", 20)+"thoroughly")
		for columns := 20; columns < 150; columns++ {
			for _, line := range p.barLines(columns) {
				assert.LessOrEqual(t, utf8.RuneCountInString(line), columns)
				assert.True(t, strings.HasSuffix(line, "░ 0/1"), line)
			}
		}
		lines := p.barLines(39)
		assert.True(t, strings.HasPrefix(lines[0], "count "), lines[0])
		assert.Contains(t, lines[1], "thoroughly ", "the end of an address tells more than its beginning")
	})

	t.Run("of many steps it tells how many are done", func(t *testing.T) {
		assert.NotContains(t, showing(t, "a", "b").line(), "done")
		var many []string
		for i := range 40 {
			many = append(many, fmt.Sprintf("s%d", i))
		}
		p := showing(t, many...)
		assert.Contains(t, p.line(), "p running: 0 of 40 steps done; s28 0/1, ")
		assert.Len(t, p.barLines(100), mostBars)
	})
}
