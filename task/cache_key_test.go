package task

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func cached() Work {
	part := func(name, sum string) []Part {
		return []Part{{Name: name, Ref: &Ref{Key: "sha256/" + sum, Size: 3, SHA256: sum}}}
	}
	return Work{
		Process: "p", Address: "count", Attempt: 1, Tasks: Span(0, 2), Run: Run{Command: []string{"python3", "count.py"}},
		Params: map[string]json.RawMessage{"top": json.RawMessage(`20`)},
		Inputs: []Input{
			{Local: "text", Mode: Element, Lists: [][]Part{part("a.txt", "aa"), part("b.txt", "bb")}},
			{Local: "stop", Mode: Whole, Lists: [][]Part{part("stop.txt", "cc")}},
		},
		Outputs: []Output{{Local: "words", Data: "partial"}},
		Files:   []File{{Name: "count.py", Ref: Ref{Key: "sha256/dd", Size: 9, SHA256: "dd"}}},
		Env:     map[string]Variable{"LANG": {Value: "C"}, "TOKEN": {Secret: "api"}},
		Cache:   true, Scope: "word-count",
	}
}

func keyOf(t *testing.T, w Work, k int) string {
	t.Helper()
	inputs, known := w.KnownInputs(k)
	require.True(t, known)
	version, _ := HandlerVersion(w.Run.Handler)
	return CacheKey(w.Ingredients(version, inputs))
}

func TestTheKeyOfATaskIsTheSameWhereverAndHoweverItRuns(t *testing.T) {
	key := keyOf(t, cached(), 0)
	require.Equal(t, "28ec", key[:4], "entries that were written stay of use only while this stays")
	for name, change := range map[string]func(w *Work){
		"another process":         func(w *Work) { w.Process, w.Generation, w.Attempt = "q", 3, 2 },
		"another step":            func(w *Work) { w.Address = "again/count" },
		"another place":           func(w *Work) { w.Tasks = Span(7, 2) },
		"how it is run":           func(w *Work) { w.Pool, w.Timeout, w.Needs.CPU, w.Limits.Memory = "big", 1e9, 2, 1<<30 },
		"where the bytes lie":     func(w *Work) { w.Inputs[0].Lists[0][0].Ref.Key = "elsewhere" },
		"what the data is called": func(w *Work) { w.Outputs[0].Data = "counts" },
		"space in a parameter":    func(w *Work) { w.Params["top"] = json.RawMessage(" 20") },
		"the order of inputs":     func(w *Work) { w.Inputs[0], w.Inputs[1] = w.Inputs[1], w.Inputs[0] },
	} {
		w := cached()
		change(&w)
		require.Equal(t, key, keyOf(t, w, 0), name)
	}
}

func TestTheKeyOfATaskDiffersWithWhateverItsResultMayFollowFrom(t *testing.T) {
	keys := map[string]string{keyOf(t, cached(), 0): "nothing changed", keyOf(t, cached(), 1): "another element"}
	for name, change := range map[string]func(w *Work){
		"the processes that share": func(w *Work) { w.Scope = "word-count-2" },
		"the command":              func(w *Work) { w.Run.Command = []string{"python3", "-O", "count.py"} },
		"words run together":       func(w *Work) { w.Run.Command = []string{"python3 count.py"} },
		"a program that is kept":   func(w *Work) { w.Run.Keep = true },
		"a script":                 func(w *Work) { w.Run = Run{Shell: "python3 count.py"} },
		"a handler":                func(w *Work) { w.Run = Run{Handler: "words/count"} },
		"a version of it":          func(w *Work) { w.Run = Run{Handler: "words/count@2"} },
		"a file of the definition": func(w *Work) { w.Files[0].Ref.SHA256 = "ee" },
		"its name":                 func(w *Work) { w.Files[0].Name = "count2.py" },
		"a parameter":              func(w *Work) { w.Params["top"] = json.RawMessage(`21`) },
		"its type":                 func(w *Work) { w.Params["top"] = json.RawMessage(`"20"`) },
		"one more parameter":       func(w *Work) { w.Params["least"] = json.RawMessage(`1`) },
		"the environment":          func(w *Work) { w.Env["LANG"] = Variable{Value: "de"} },
		"another secret":           func(w *Work) { w.Env["TOKEN"] = Variable{Secret: "other"} },
		"no secret any more":       func(w *Work) { w.Env["TOKEN"] = Variable{Value: "api"} },
		"the content of an input":  func(w *Work) { w.Inputs[0].Lists[0][0].Ref.SHA256 = "ab" },
		"its file name":            func(w *Work) { w.Inputs[0].Lists[0][0].Name = "c.txt" },
		"its key":                  func(w *Work) { w.Inputs[0].Lists[0][0].Key = "k" },
		"what is read whole":       func(w *Work) { w.Inputs[1].Lists[0] = nil },
		"how an input is seen":     func(w *Work) { w.Inputs[0].Mode = Group },
		"the key of a join":        func(w *Work) { w.Inputs[0].Mode, w.Inputs[0].Keys = Group, []string{"k", "l"} },
		"a bucket":                 func(w *Work) { w.Inputs[0].Mode, w.Inputs[0].Into = Group, 4 },
		"the name of an input":     func(w *Work) { w.Inputs[0].Local = "book" },
		"the name of an output":    func(w *Work) { w.Outputs[0].Local = "counts" },
		"the type of an output":    func(w *Work) { w.Outputs[0].JSON = "number" },
	} {
		w := cached()
		change(&w)
		key := keyOf(t, w, 0)
		require.NotContains(t, keys, key, "%s: as with %s", name, keys[key])
		keys[key] = name
	}
}

func TestTheNumberOfBucketsDoesNotMatterToWhatIsInOne(t *testing.T) {
	a, b := cached(), cached()
	a.Inputs[0].Mode, a.Inputs[0].Into = Group, 4
	b.Inputs[0].Mode, b.Inputs[0].Into = Group, 8
	require.Equal(t, keyOf(t, a, 0), keyOf(t, b, 0))
}

func TestAPinnedVersionAndTheSameOneOfferedAreEqual(t *testing.T) {
	pinned, open := cached(), cached()
	pinned.Run, open.Run = Run{Handler: "words/count@2"}, Run{Handler: "words/count"}
	inputs, _ := open.KnownInputs(0)
	require.Equal(t, keyOf(t, pinned, 0), CacheKey(open.Ingredients("2", inputs)))
	_, known := HandlerVersion("words/count")
	require.False(t, known)
	version, known := HandlerVersion("deed/sort")
	require.True(t, known)
	require.Equal(t, builtinVersion, version)
}

func TestWhatAManifestGivesToATaskIsKnownOnlyIfItGivesAll(t *testing.T) {
	w := cached()
	w.Inputs[1] = Input{Local: "stop", Mode: Whole, Manifest: &Manifest{}, Digest: Inline(w.Inputs[1].Lists[0]).Digest}
	require.Equal(t, keyOf(t, cached(), 0), keyOf(t, w, 0), "the same list, wherever it lies")
	w.Inputs[0] = Input{Local: "text", Mode: Element, Manifest: &Manifest{}, Digest: "abc"}
	_, known := w.KnownInputs(0)
	require.False(t, known)
}

func TestNoSecretAndNothingLongIsInAnIngredient(t *testing.T) {
	w := cached()
	w.Run = Run{Shell: strings.Repeat("x", 10<<20)}
	inputs, _ := w.KnownInputs(0)
	names := ""
	for _, i := range w.Ingredients("", inputs) {
		require.LessOrEqual(t, len(i.Value), 200, i.Name)
		names += i.Name + "=" + i.Value + "\n"
	}
	require.Contains(t, names, "env TOKEN=secret api\n")
	require.Contains(t, names, "script=sha256 ")
}

func TestATextThatLooksLikeTheDigestOfALongOneIsNotTakenForIt(t *testing.T) {
	long, short := cached(), cached()
	long.Run = Run{Shell: strings.Repeat("x", 1000)}
	inputs, _ := long.KnownInputs(0)
	for _, i := range long.Ingredients("", inputs) {
		if i.Name == "script" {
			short.Run = Run{Shell: i.Value}
		}
	}
	require.NotEqual(t, keyOf(t, long, 0), keyOf(t, short, 0))
}

func TestOnlyWorkOfAStepIsReusable(t *testing.T) {
	w := cached()
	require.True(t, w.Reusable())
	for name, change := range map[string]func(w *Work){
		"not asked for": func(w *Work) { w.Cache = false }, "of nobody": func(w *Work) { w.Scope = "" },
		"a merge": func(w *Work) { w.Seal = &Seal{} }, "a child": func(w *Work) { w.Run = Run{Handler: ChildHandler} },
	} {
		w := cached()
		change(&w)
		require.False(t, w.Reusable(), name)
	}
}
