package standard

import (
	"bytes"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func numberKey(t require.TestingT, text string) []byte {
	key, ok := appendNumber(nil, []byte(text))
	require.True(t, ok, "%q", text)
	return key
}

func TestNumbersAreOrderedExactly(t *testing.T) {
	ascending := []string{
		"", "-1e30", "-12345678901234567891", "-12345678901234567890", "-10", "-9.99", "-1", "-0.5", "-0.05", "-1e-9",
		"0", "1e-9", "0.05", "0.5", "0.51", "1", "1.5", "2", "9.99", "10", "99", "100", "100.001",
		"9007199254740992", "9007199254740993", "12345678901234567890", "12345678901234567891", "1e30",
	}
	for i := range ascending[1:] {
		a, b := numberKey(t, ascending[i]), numberKey(t, ascending[i+1])
		require.Negative(t, bytes.Compare(a, b), "%q, %q", ascending[i], ascending[i+1])
	}
	for _, equal := range [][]string{
		{"0", "-0", "0.000", "+0", "0e5"}, {"1", "01", "1.", "1.0", "+1", "1e0", "0.1e1", "10e-1", " 1 "}, {"1200", "1.2e3", "1200.00"}, {".5", "0.5", "5e-1"}, {"", "  "},
	} {
		for _, text := range equal[1:] {
			require.Equal(t, numberKey(t, equal[0]), numberKey(t, text), "%q, %q", equal[0], text)
		}
	}
	for _, none := range []string{"x", "1x", "-", ".", "e5", "1e", "1e99999999999", "0x10", "1,5", "1 2", "--1", "NaN", "Inf", "1_000"} {
		_, ok := appendNumber(nil, []byte(none))
		require.False(t, ok, "%q", none)
	}
}

func TestNumbersCompareAsTheirKeysDo(t *testing.T) {
	text := rapid.StringMatching(`[-+]?[0-9]{1,25}(\.[0-9]{0,10})?([eE][-+]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		x, okX := new(big.Rat).SetString(a)
		y, okY := new(big.Rat).SetString(b)
		require.True(t, okX && okY)
		require.Equal(t, x.Cmp(y), bytes.Compare(numberKey(t, a), numberKey(t, b)), "%s, %s", a, b)
	})
}

func TestTextsCompareAsTheirKeysDo(t *testing.T) {
	texts := rapid.SliceOfN(rapid.StringMatching(`[a\x00\x01\xff]{0,4}`), 2, 2)
	rapid.Check(t, func(t *rapid.T) {
		a, b := texts.Draw(t, "a"), texts.Draw(t, "b")
		key := func(texts []string) (key []byte) {
			for _, text := range texts {
				key = appendText(key, []byte(text))
			}
			return key
		}
		require.Equal(t, slices.CompareFunc(a, b, strings.Compare), bytes.Compare(key(a), key(b)), "%q, %q", a, b)
	})
}
