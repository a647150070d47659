package definition

import (
	"encoding/json"
	"strings"
)

// StandardHandler is a handler that every worker has, under deed/: what an
// author may tell it. It reads exactly one name, whole or by each or by key, and
// writes exactly one, both under any local name. docs/handlers.md tells the rest.
type StandardHandler struct {
	Name   string // "deed/split"
	About  string // what it does, in a sentence
	Params []StandardParam
	JSON   []Type // what its output may be declared as; nil: its parts are data, never small values
}

// StandardParam is a parameter of a handler that every worker has.
type StandardParam struct {
	Name    string
	Type    Type
	Default json.RawMessage // nil: it has to be given
	is      standardForm    // what a String says
	oneOf   []string        // of a standardWord
	min     int             // of a Number, which is whole
	max     int
	About   string
}

// standardForm is what the text of a parameter says.
type standardForm string

// The forms of texts. The zero standardForm: any text.
const (
	standardWord      standardForm = "word"      // one of oneOf
	standardSize      standardForm = "size"      // like memory: "64MiB"
	standardColumn    standardForm = "column"    // by name or number
	standardColumns   standardForm = "columns"   // like "bytes number desc, host"
	standardSeparator standardForm = "separator" // one character of ASCII, or none
	standardFile      standardForm = "file"      // the name of a file, without folders, or none
)

// StandardHandlers lists the handlers that every worker has, in the order in
// which they are told.
func StandardHandlers() []StandardHandler {
	return []StandardHandler{
		{
			Name: "deed/split", About: "cuts each part into parts of about a size, between records",
			Params: append(recordParams("lines", "csv", "json-lines"),
				StandardParam{Name: "size", Type: String, is: standardSize, Default: jsonText("64MiB"), About: "what a part may have, unless one record alone has more"}),
		},
		{
			Name: "deed/concat", About: "puts parts together, in their order",
			Params: append(recordParams("lines", "csv", "json-lines", "bytes"), nameParam),
		},
		{
			Name: "deed/sort", About: "sorts the records of all parts into one part",
			Params: append(sortParams("lines", "csv", "json-lines"),
				StandardParam{Name: "memory", Type: String, is: standardSize, Default: jsonText("64MiB"), About: "what is sorted at a time; the rest waits on disk"}),
		},
		{
			Name: "deed/merge", About: "merges parts that are sorted already into one part",
			Params: sortParams("lines", "csv", "json-lines"),
		},
		{
			Name: "deed/partition", About: "routes records by the value of a column: a part for each, with the value as its key",
			Params: append(recordParams("lines", "csv", "json-lines"),
				StandardParam{Name: "by", Type: String, is: standardColumn, About: "the column"},
				StandardParam{Name: "into", Type: Number, Default: json.RawMessage("0"), max: maxInto, About: "how many parts at most, each for a share of the values; 0: a part a value"},
				StandardParam{Name: "memory", Type: String, is: standardSize, Default: jsonText("64MiB"), About: "what is sorted at a time; the rest waits on disk"}),
		},
		{
			Name: "deed/count", About: "counts the parts that it reads, their records and their bytes",
			Params: recordParams("lines", "csv", "json-lines"), JSON: []Type{Number, Object},
		},
		{Name: "deed/gzip", About: "compresses each part, and adds .gz to its name", Params: []StandardParam{levelParam(9, "6")}},
		{Name: "deed/gunzip", About: "expands each part, and takes .gz from its name", Params: []StandardParam{mostParam}},
		{Name: "deed/zstd", About: "compresses each part, and adds .zst to its name", Params: []StandardParam{levelParam(22, "3")}},
		{Name: "deed/unzstd", About: "expands each part, and takes .zst from its name", Params: []StandardParam{mostParam}},
	}
}

// Standard finds a handler that every worker has, by the name that a step runs.
func Standard(handler string) (StandardHandler, bool) {
	if !strings.HasPrefix(handler, reserved+"/") {
		return StandardHandler{}, false
	}
	for _, h := range StandardHandlers() {
		if h.Name == handler {
			return h, true
		}
	}
	return StandardHandler{}, false
}

var (
	nameParam = StandardParam{Name: "name", Type: String, is: standardFile, Default: jsonText(""), About: `of the file that is written; "": that of the first part`}
	mostParam = StandardParam{Name: "most", Type: String, is: standardSize, Default: jsonText("16GiB"), About: "what one part may expand to"}
)

func levelParam(most int, usual string) StandardParam {
	return StandardParam{Name: "level", Type: Number, Default: json.RawMessage(usual), min: 1, max: most, About: "from fast to small"}
}

// recordParams say what a record is.
func recordParams(kinds ...string) []StandardParam {
	return []StandardParam{
		{Name: "records", Type: String, is: standardWord, oneOf: kinds, Default: jsonText("lines"), About: "what the parts consist of"},
		{Name: "header", Type: Boolean, Default: json.RawMessage("false"), About: "the first record of each part names the columns, and stays the first of what is written"},
		{Name: "separator", Type: String, is: standardSeparator, Default: jsonText(""), About: `between columns; "": a comma in csv; lines are then one column`},
		{Name: "largest", Type: String, is: standardSize, Default: jsonText("16MiB"), About: "what one record may have; it is in memory"},
	}
}

// sortParams say what a record is, and which of two comes first.
func sortParams(kinds ...string) []StandardParam {
	return append(
		recordParams(kinds...),
		StandardParam{Name: "by", Type: String, is: standardColumns, Default: jsonText(""), About: `what is compared: columns, each by name or number, with number, and with desc; "": whole records`},
		StandardParam{Name: "reverse", Type: Boolean, Default: json.RawMessage("false"), About: "the last comes first"},
		StandardParam{Name: "unique", Type: Boolean, Default: json.RawMessage("false"), About: "of records that compare as equal only the first stays"},
		StandardParam{Name: "first", Type: Number, Default: json.RawMessage("0"), max: 1 << 53, About: "how many records are written; 0: all"},
		nameParam,
	)
}

func jsonText(s string) json.RawMessage {
	quoted, _ := json.Marshal(s) // a string always has JSON
	return quoted
}
