package parse

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition"
)

const maxNesting = 100

// decodeJSON reads one JSON document into the tree that YAML has too; nil is an empty one.
func decodeJSON(data []byte) (*yaml.Node, *definition.Fault) {
	d := &jsonDecoder{data: data, tokens: json.NewDecoder(bytes.NewReader(data)), line: 1, column: 1}
	d.tokens.UseNumber()
	root, err := d.value(0)
	if errors.Is(err, io.EOF) && d.line == 1 && d.at == 0 {
		return nil, nil
	}
	if err == nil {
		if _, more := d.next(); more == nil {
			return nil, refuse(d.line, d.column, "several-documents", "keep one definition a file", "a second document begins here")
		} else if !errors.Is(more, io.EOF) {
			err = more
		}
	}
	if err == nil {
		return root, nil
	}
	line, column := d.line, d.column
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		line, column = position(data[:max(0, min(int(syntax.Offset)-1, len(data)))])
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		line, column = position(data)
		err = errors.New("it ends too early")
	}
	return nil, refuse(line, column, "bad-json", "", "not valid JSON: %s", clip(err.Error()))
}

type jsonDecoder struct {
	data         []byte
	tokens       *json.Decoder
	at           int // offset of the token read last, which stands at line and column
	line, column int
}

// next reads a token and moves to where it begins.
func (d *jsonDecoder) next() (json.Token, error) {
	start := int(d.tokens.InputOffset())
	token, err := d.tokens.Token()
	if err != nil {
		return nil, err
	}
	start += len(d.data[start:]) - len(bytes.TrimLeft(d.data[start:], " \t\r\n,:"))
	passed := d.data[d.at:start]
	if lines := bytes.Count(passed, []byte("\n")); lines > 0 {
		d.line += lines
		d.column = 1
		passed = passed[bytes.LastIndexByte(passed, '\n')+1:]
	}
	d.column += utf8.RuneCount(passed)
	d.at = start
	return token, nil
}

func (d *jsonDecoder) value(depth int) (*yaml.Node, error) {
	token, err := d.next()
	if err != nil {
		return nil, err
	}
	if depth > maxNesting {
		return nil, errors.New("it is nested too deep")
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: d.line, Column: d.column}
	switch v := token.(type) {
	case json.Delim:
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		if v == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		for d.tokens.More() {
			item, err := d.value(depth + 1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, item)
		}
		_, err = d.next() // the closing bracket
	case string:
		n.Tag, n.Value = "!!str", v
	case json.Number:
		n.Tag, n.Value = "!!int", v.String()
		if strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!float"
		}
	case bool:
		n.Tag, n.Value = "!!bool", "false"
		if v {
			n.Value = "true"
		}
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n, err
}
