package parse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition"
)

// admit turns bytes into one tree, or says why not. What it refuses it refuses
// before memory grows: the number of values is bounded by the punctuation and
// lines of the text, which are counted first. walk is how many values a reader
// meets at most, if aliases are not what most of them are.
func admit(data []byte, decode func([]byte) (*yaml.Node, *definition.Fault)) (root *yaml.Node, walk int, refused *definition.Fault) {
	if len(data) > maxBytes {
		return nil, 0, refuse(1, 1, "too-large", "put scripts into files of their own", "the definition is larger than %d MiB", maxBytes>>20)
	}
	if !utf8.Valid(data) {
		line, column := invalidAt(data)
		return nil, 0, refuse(line, column, "not-text", "a definition is UTF-8 text", "this is not a text file")
	}
	values := 0
	for i, b := range data {
		if strings.IndexByte("\n,:[{?#&*", b) >= 0 || b == '-' && (i+1 == len(data) || data[i+1] <= ' ') {
			values++
		}
	}
	if values > maxValues {
		return nil, 0, tooMany()
	}
	root, refused = decode(data)
	switch {
	case refused != nil:
		return nil, 0, refused
	case root == nil || root.Kind == yaml.ScalarNode && root.Tag == "!!null":
		return nil, 0, refuse(1, 1, "empty-file", "begin with deed: v1", "the definition is empty")
	}
	return root, 2*values + maxAliased, nil
}

func refuse(line, column int, code, hint, format string, args ...any) *definition.Fault {
	return &definition.Fault{
		Pos:  definition.Pos{Line: line, Column: column},
		Code: code, Message: fmt.Sprintf(format, args...), Hint: hint,
	}
}

func tooMany() *definition.Fault {
	return refuse(1, 1, "too-large", "fan out with each: instead of writing steps, and put scripts into files of their own",
		"the definition has more than %d values", maxValues)
}

func invalidAt(data []byte) (line, column int) {
	valid := 0
	for valid < len(data) {
		r, size := utf8.DecodeRune(data[valid:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		valid += size
	}
	return position(data[:valid])
}

// position is the line and column of what comes after the text.
func position(before []byte) (line, column int) {
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[lineStart:]) + 1
}

// decodeYAML reads one document; nil is an empty one.
func decodeYAML(data []byte) (root *yaml.Node, refused *definition.Fault) {
	// The library turns its own panics into errors. Should one escape, it is
	// the document's fault all the same.
	defer func() {
		if p := recover(); p != nil {
			root, refused = nil, refuse(1, 1, "bad-yaml", "", "not valid YAML: %s", clip(fmt.Sprint(p)))
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, badYAML(err, data)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, refuse(second.Line, second.Column, "several-documents", "keep one definition a file", "a second document begins here")
	} else if !errors.Is(err, io.EOF) {
		return nil, badYAML(err, data)
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	return document.Content[0], nil
}

var yamlError = regexp.MustCompile(`^(?s)yaml: (?:line (\d+): )?(.*)$`)

var unknownAnchor = regexp.MustCompile(`^unknown anchor '(.+)' referenced$`)

func badYAML(err error, data []byte) *definition.Fault {
	line, message := 1, err.Error()
	if m := yamlError.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	if m := unknownAnchor.FindStringSubmatch(message); m != nil {
		if i := bytes.Index(data, []byte("*"+m[1])); i >= 0 {
			line, column := position(data[:i])
			return refuse(line, column, "bad-yaml", "", "alias *%s stands for nothing", clip(m[1]))
		}
	}
	f := refuse(line, 1, "bad-yaml", "", "not valid YAML: %s", clip(message))
	if lines := bytes.SplitN(data, []byte("\n"), line+1); line <= len(lines) {
		text := string(lines[line-1])
		indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
		f.Column = len(indent) + 1
		switch {
		case strings.Contains(indent, "\t"):
			f.Hint = "indent with spaces, not tabs"
		case strings.Contains(message, "did not find expected ',' or"):
			f.Hint = "look for a bracket that is not closed, there or just below"
		case strings.Contains(message, "mapping values are not allowed"):
			f.Hint = "a text with a colon and a space in it needs quotes"
		}
	}
	return f
}
