package parse_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
)

func TestDocumentsThatWouldCostTooMuchAreRefused(t *testing.T) {
	for name, tc := range map[string]struct{ text, code string }{
		"more than 4 MiB":              {"deed: v1\n# " + strings.Repeat("x", 4<<20), "too-large"},
		"a million elements":           {"inputs: [" + strings.Repeat("a,", 1_000_000) + "]", "too-large"},
		"a million lines":              {strings.Repeat("a\n", 1_000_000), "too-large"},
		"brackets nested 100,000 deep": {strings.Repeat("[", 100_000), "bad-yaml"},
		"mappings nested 50,000 deep":  {strings.Repeat("{a: ", 50_000), "bad-yaml"},
		"lists nested 100,000 deep":    {strings.Repeat("- ", 100_000), "bad-yaml"},
		"a step many times by aliases": {laughs(), "too-large"},
		"a group that contains itself": {"deed: v1\nname: x\nsteps: &a\n  g: {steps: *a}\n", "too-deep"},
		"groups nested 1,000 deep":     {"deed: v1\nname: x\nsteps: " + strings.Repeat("{g: {steps: ", 1000) + "{}" + strings.Repeat("}}", 1000), "too-deep"},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			src, faults := parse.Bytes("big.yaml", []byte(tc.text))
			faults = append(faults, definition.Check(src)...)
			require.NotEmpty(t, faults)
			var codes []string
			for _, f := range faults {
				codes = append(codes, f.Code)
				assert.Less(t, len(f.String()), 2000)
			}
			assert.Contains(t, codes, tc.code)
			assert.Less(t, time.Since(begin), 5*time.Second)
		})
	}
}

// laughs is a document of a few lines that stands for ten to the twelfth steps.
func laughs() string {
	var b strings.Builder
	b.WriteString("deed: v1\nname: laughs\nsettings:\n  a: &s0 {a: {run: x}}\n")
	for i := 1; i <= 12; i++ {
		fmt.Fprintf(&b, "  a%d: &s%d {", i, i)
		for j := range 10 {
			fmt.Fprintf(&b, "g%d: {steps: *s%d}, ", j, i-1)
		}
		b.WriteString("}\n")
	}
	b.WriteString("steps: *s12\n")
	return b.String()
}

func TestAFileOfFaultsListsTheFirstOnes(t *testing.T) {
	_, faults := parse.Bytes("faults.yaml", []byte("steps:\n  a:\n    in: ["+strings.Repeat("1, ", 100_000)+"]\n"))
	assert.Len(t, faults, parse.MaxFaults+1)
	assert.Equal(t, "too-many-faults", faults[parse.MaxFaults].Code)
}

func TestTenThousandStepsAreCheckedInASecond(t *testing.T) {
	for name, text := range map[string]string{
		"a chain":                          chain(definition.MaxSteps),
		"a fan":                            steps(definition.MaxSteps, func(i int) string { return fmt.Sprintf("in: [d0], out: [d%d]", i+1) }),
		"one cycle through all":            steps(definition.MaxSteps, func(i int) string { return fmt.Sprintf("in: [d%d], out: [d%d]", (i+1)%definition.MaxSteps, i) }),
		"ten thousand unknown names":       steps(definition.MaxSteps, func(i int) string { return fmt.Sprintf("in: [some_name_%d_x], out: [some_data_%d]", i, i) }),
		"ten thousand unknown addresses":   steps(definition.MaxSteps, func(i int) string { return fmt.Sprintf("after: [stepp%d]", i) }),
		"every step after a group of many": "deed: v1\nname: x\nsteps:\n  g:\n    steps:\n" + lines(5000, "      s%d: {run: x}\n") + lines(5000, "  t%d: {run: x, after: [g]}\n"),
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			src, faults := parse.Bytes("many.yaml", []byte(text))
			require.Empty(t, faults)
			faults = definition.Check(src)
			took := time.Since(begin)
			for _, f := range faults {
				require.Less(t, len(f.String()), 4000)
			}
			assert.Less(t, took, 10*time.Second) // a second, on a machine that does nothing else
		})
	}
}

func TestTheLargestDefinitionResolves(t *testing.T) {
	src, faults := parse.Bytes("chain.yaml", []byte(chain(definition.MaxSteps)))
	require.Empty(t, faults)
	d, faults := definition.Resolve(src, nil, nil, nil)
	require.Empty(t, faults)
	assert.Len(t, d.Steps, definition.MaxSteps)

	src, faults = parse.Bytes("chain.yaml", []byte(chain(definition.MaxSteps+1)))
	require.Empty(t, faults)
	faults = definition.Check(src)
	require.Len(t, faults, 1)
	assert.Equal(t, "too-many-steps", faults[0].Code)
}

// chain is a definition without a fault: each step reads what the last one wrote.
func chain(n int) string {
	return fmt.Sprintf("inputs: [d0]\noutputs: [d%d]\n", n) +
		steps(n, func(i int) string { return fmt.Sprintf("in: [d%d], out: [d%d]", i, i+1) })
}

func steps(n int, wiring func(i int) string) string {
	var b strings.Builder
	b.WriteString("deed: v1\nname: many\nsteps:\n")
	for i := range n {
		fmt.Fprintf(&b, "  step%d: {run: x, %s}\n", i, wiring(i))
	}
	return b.String()
}

func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
