package standard

import (
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
)

func TestTheTableOfDefinitionsAndTheHandlersAgree(t *testing.T) {
	var names []string
	for _, h := range definition.StandardHandlers() {
		names = append(names, h.Name)
		params := []string{}
		if h.Name == "deed/partition" {
			params = append(params, "by=1")
		}
		b, err := do(t, h.Name, nil, params...)
		require.NoError(t, err, "%s does without parts", h.Name)
		want := h.Names()
		slices.Sort(want)
		require.Equal(t, want, slices.Sorted(maps.Keys(b.asked)), h.Name)
	}
	slices.Sort(names)
	require.Equal(t, names, slices.Sorted(maps.Keys(Handlers())))
}

func TestWhatTheTableRefusesOfColumnsTheHandlersRefuseToo(t *testing.T) {
	h, _ := definition.Standard("deed/sort")
	by, _ := h.Param("by")
	for _, text := range []string{
		"1", "2 number", "a", "a desc,b number desc , c", `"first name" desc, "a,b"`, ` a `, "a text asc",
		",", "a,", ",a", "a b", `"open`, `"a"b`, `""`, "a number numbers", `a"b`, "a\tb",
	} {
		_, ok := columns(text)
		value, err := jsonOf(text)
		require.NoError(t, err)
		require.Equal(t, by.Check(value) == nil, ok, "%q", text)
	}
}

func TestThePageTellsEveryHandlerWithItsParametersAndDefaults(t *testing.T) {
	page, err := os.ReadFile("../../docs/handlers.md")
	require.NoError(t, err)
	for _, h := range definition.StandardHandlers() {
		require.Contains(t, string(page), "`"+h.Name+"`")
		for _, p := range h.Params {
			require.Contains(t, string(page), "| `"+p.Name+"` |", h.Name)
			if value := strings.Trim(string(p.Default), `"`); value != "" {
				require.Contains(t, string(page), "`"+value+"`", "%s: the default of %s", h.Name, p.Name)
			}
		}
	}
}

func TestAParameterThatTheMessageLacksIsSaid(t *testing.T) {
	b, err := do(t, "deed/partition", []Part{file("a", "x\n")})
	require.EqualError(t, err, "the parameter by: the message does not bring it: the sender is at fault")
	require.Empty(t, b.written)
}

func TestAHeaderOfRecordsThatHaveNoneIsRefused(t *testing.T) {
	require.Equal(t, "the parameter header: json-lines have none",
		refused(t, "deed/count", nil, "records=json-lines", "header=true"))
}

func TestWhatCannotBeReadIsNoBadInput(t *testing.T) {
	gone := errors.New("the network is away")
	for name := range Handlers() {
		for _, text := range []string{"", "a\n"} {
			part := Part{Name: "a", Open: func() (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(strings.NewReader(text), iotest.ErrReader(gone))), nil
			}}
			params := []string{}
			if name == "deed/partition" {
				params = append(params, "by=1")
			}
			_, err := do(t, name, []Part{part}, params...)
			require.ErrorIs(t, err, gone, name)
			require.ErrorContains(t, err, "a: ", name)
			var bad *BadInputError
			require.NotErrorAs(t, err, &bad, name)
		}
	}
}

func TestWhatCannotBeOpenedIsNamed(t *testing.T) {
	for name := range Handlers() {
		params := []string{}
		if name == "deed/partition" {
			params = append(params, "by=1")
		}
		part := Part{Key: "k", Name: "a", Open: func() (io.ReadCloser, error) { return nil, io.ErrClosedPipe }}
		_, err := do(t, name, []Part{part}, params...)
		require.ErrorIs(t, err, io.ErrClosedPipe, name)
		require.ErrorContains(t, err, "k/a: ", name)
	}
}
