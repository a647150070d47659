package definition_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
)

func TestANearWordIsFound(t *testing.T) {
	words := []string{"corpus", "counts", "partial", "clean/dedupe", "a", "ab"}
	for word, want := range map[string]string{
		"copus": "corpus", "count": "counts", "partail": "partial", "clean/dedup": "clean/dedupe", "Corpus": "corpus",
		"corpus": "", "zebra": "", "": "", "b": "ab", "ba": "a", "c": "",
	} {
		t.Run(word, func(t *testing.T) {
			var s definition.Speller
			got, ok := s.Nearest(word, words)
			assert.Equal(t, want, got)
			assert.Equal(t, want != "", ok)
		})
	}
}

func TestTheTextsOfSettings(t *testing.T) {
	for text, want := range map[string]string{"1s..30s": "1s..30s", "5s": "5s", "1m .. 2m": "1m..2m", "0..1s": "0s..1s", "90s": "1m30s"} {
		b, err := definition.ParseBackoff(text)
		require.NoError(t, err)
		assert.Equal(t, want, b.String())
	}
	for _, text := range []string{"", "..", "1s..", "..1s", "1s..2s..3s", "5", "1s-2s"} {
		_, err := definition.ParseBackoff(text)
		assert.Error(t, err, text)
	}
	for text, want := range map[string]string{"10%": "0.1", "0.7%": "0.007", "7%": "0.07", "100%": "1", "0": "0", "0.25": "0.25", "1e-2": "0.01"} {
		got, err := definition.ParseJitter(text)
		require.NoError(t, err)
		assert.Equal(t, want, fmt.Sprint(got), text)
	}
	for _, text := range []string{"", "%", "a lot", "1e1%", "10 %", "1e999"} {
		_, err := definition.ParseJitter(text)
		assert.Error(t, err, text)
	}
	for text, want := range map[string]string{
		"a": "a", "a by key": "a by key", " a  by key into 8 ": "a by key into 8", "a, b by key": "a, b by key", "[a , b] by key into 3": "a, b by key into 3",
	} {
		data, byKey, into, err := definition.ParseEach(text)
		require.NoError(t, err)
		e := definition.Each{Binding: binding(data[0]), ByKey: byKey}
		for _, name := range data[1:] {
			e.With = append(e.With, binding(name))
		}
		if into != nil {
			e.Into = *into
		}
		assert.Equal(t, want, e.String())
	}
}
