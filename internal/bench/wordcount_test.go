package bench

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/bench/wordcount"
)

func TestACountThatDiffersFromTheFirstIsAnError(t *testing.T) {
	p := WordCountParams{Result: filepath.Join(t.TempDir(), "result.json")}
	first := wordcount.Result{SHA256: "ab", Bytes: 2, Lists: wordcount.Data{Parts: 3}}
	require.NoError(t, p.agree(first), "there is nothing to compare the first with")
	require.NoError(t, p.agree(first))
	other := first
	other.Lists.Digest = "another"
	require.ErrorContains(t, p.agree(other), "two counts of the same texts differ")
}
