package definition

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryParameterOfAStandardHandlerTakesItsOwnDefault(t *testing.T) {
	for _, h := range StandardHandlers() {
		found, ok := Standard(h.Name)
		require.True(t, ok, h.Name)
		require.Equal(t, h, found)
		seen := map[string]bool{}
		for _, p := range h.Params {
			require.False(t, seen[p.Name], "%s has %s twice", h.Name, p.Name)
			seen[p.Name] = true
			if p.Default != nil {
				require.NoError(t, p.Check(p.Default), "%s: %s", h.Name, p.Name)
			}
		}
	}
}

func TestOnlyTheNamesInTheTableAreStandardHandlers(t *testing.T) {
	for _, name := range []string{"", "deed", "deed/", "deed/seal", "deed/child", "deed/sort@1", "sort", "words/split"} {
		_, ok := Standard(name)
		require.False(t, ok, name)
	}
}

func TestAParameterOfAStandardHandlerRefusesWhatItCannotMean(t *testing.T) {
	for _, c := range []struct {
		handler, param string
		fine, wrong    []string
	}{
		{"deed/split", "records", []string{`"lines"`, `"csv"`, `"json-lines"`}, []string{`"bytes"`, `"line"`, `""`, `1`, `null`, `["lines"]`}},
		{"deed/split", "header", []string{`true`, `false`}, []string{`"true"`, `1`, `null`}},
		{"deed/split", "size", []string{`"1B"`, `"64MiB"`, `"1.5 GB"`}, []string{`"64"`, `64`, `""`, `"0B"`, `"much"`, `null`}},
		{"deed/sort", "by", []string{`""`, `"2"`, `"bytes number desc, host"`, `"\"first name\" desc"`, `"a,b , c"`}, []string{`","`, `"a,"`, `"a b"`, `"\"open"`, `"\"a\"b"`, `3.5`, `0`, `-1`, `null`, `true`}},
		{"deed/partition", "by", []string{`"host"`, `"2"`, `2`, `"\"first name\""`}, []string{`""`, `" "`, `"host desc"`, `"a,b"`, `0`, `-1`}},
		{"deed/sort", "separator", []string{`""`, `"\t"`, `";"`}, []string{`"ab"`, `"\n"`, `"\""`, `"é"`, `"\u0000"`}},
		{"deed/concat", "name", []string{`""`, `"all.csv"`}, []string{`"a/b"`, `".."`, `"a\u0000"`}},
		{"deed/partition", "into", []string{`0`, `8`}, []string{`-1`, `1.5`, `"8"`, `1e9`, `null`}},
		{"deed/zstd", "level", []string{`1`, `22`}, []string{`0`, `23`}},
		{"deed/gzip", "level", []string{`9`}, []string{`10`}},
	} {
		h, _ := Standard(c.handler)
		p, ok := h.Param(c.param)
		require.True(t, ok, "%s: %s", c.handler, c.param)
		for _, v := range c.fine {
			assert.NoError(t, p.Check(json.RawMessage(v)), "%s: %s = %s", c.handler, c.param, v)
		}
		for _, v := range c.wrong {
			assert.Error(t, p.Check(json.RawMessage(v)), "%s: %s = %s", c.handler, c.param, v)
		}
	}
}

func TestAStandardHandlerFindsEveryParameterSaidOrNot(t *testing.T) {
	h, _ := Standard("deed/partition")
	given := map[string]json.RawMessage{"by": json.RawMessage(`"host"`), "into": json.RawMessage(`8`)}
	all := h.WithDefaults(given)
	require.Len(t, given, 2, "what was given stays as it is")
	require.Len(t, all, len(h.Params))
	require.JSONEq(t, `8`, string(all["into"]))
	require.JSONEq(t, `"lines"`, string(all["records"]))
	require.Equal(t, []string{"by"}, h.missing(nil))
	require.Empty(t, h.missing(given))
	require.NotContains(t, h.WithDefaults(nil), "by", "there is no default for what has to be given")
}
