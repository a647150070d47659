package task

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawSet(t *rapid.T, label string) (Ranges, map[int]bool) {
	indexes := rapid.SliceOfN(rapid.IntRange(0, 40), 0, 30).Draw(t, label)
	set := map[int]bool{}
	for _, i := range indexes {
		set[i] = true
	}
	return Of(indexes...), set
}

func requireSame(t *rapid.T, want map[int]bool, got Ranges) {
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Collect(got.All()))
	require.Equal(t, len(want), got.Len())
	for i, r := range got {
		require.Positive(t, r.Count)
		require.True(t, i == 0 || got[i-1].End() < r.First, "ranges are sorted, disjoint and never adjacent: %v", got)
	}
}

func TestRangesAgreeWithASetOfIndexes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, inA := drawSet(t, "a")
		b, inB := drawSet(t, "b")
		requireSame(t, inA, a)
		union, minus := maps.Clone(inA), maps.Clone(inA)
		maps.Copy(union, inB)
		maps.DeleteFunc(minus, func(i int, _ bool) bool { return inB[i] })
		requireSame(t, union, a.Union(b))
		requireSame(t, minus, a.Minus(b))
		requireSame(t, inA, a) // sets are values
		for i := range 42 {
			require.Equal(t, inA[i], a.Contains(i))
		}
		n := rapid.IntRange(0, 45).Draw(t, "n")
		head, rest := a.Take(n)
		require.Equal(t, min(n, a.Len()), head.Len())
		requireSame(t, inA, head.Union(rest))
		require.Equal(t, a.Len(), head.Len()+rest.Len())

		text, err := a.MarshalText()
		require.NoError(t, err)
		var back Ranges
		require.NoError(t, back.UnmarshalText(text))
		requireSame(t, inA, back)
	})
}

func TestRangesReadAsPeopleWriteThem(t *testing.T) {
	text, err := Of(0, 1, 2, 7, 9, 10).MarshalText()
	require.NoError(t, err)
	require.Equal(t, "0-2,7,9-10", string(text))
	require.Equal(t, "0–2, 7, 9–10", Of(0, 1, 2, 7, 9, 10).String())
	require.Empty(t, Span(3, 0))
}

func TestTextThatIsNoSetOfIndexesIsRefused(t *testing.T) {
	for _, text := range []string{"a", "-1", "3-1", "5,4", "1-3,3", "1-", "-", ",", "1,,2", "2147483648", "0-99999999999999999999", " 1"} {
		var rs Ranges
		require.Error(t, rs.UnmarshalText([]byte(text)), text)
	}
}

func FuzzReadingRangesNeverPanicsAndRoundTrips(f *testing.F) {
	f.Add([]byte("0-2,7,9-10"))
	f.Add([]byte("2147483647"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var rs, again Ranges
		if rs.UnmarshalText(text) != nil {
			return
		}
		out, err := rs.MarshalText()
		require.NoError(t, err)
		require.NoError(t, again.UnmarshalText(out))
		require.Equal(t, rs, again)
	})
}

func TestRangesThatStandSideBySideAreJoined(t *testing.T) {
	apart := Ranges{{0, 2}, {2, 3}, {5, 0}, {7, 1}, {8, 2}}
	require.Equal(t, Ranges{{0, 5}, {7, 3}}, apart.Joined())
	require.Equal(t, Ranges{{0, 2}, {2, 3}, {5, 0}, {7, 1}, {8, 2}}, apart, "they stay as they are")
	require.Empty(t, Ranges(nil).Joined())
}
