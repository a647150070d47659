package definition

import (
	"encoding/json"
	"fmt"
	"strings"
)

const paramOpen = "${params."

// substitute replaces each ${params.x} by what value gives for x, and $${ by
// ${. Any other ${ is an error.
func substitute(text string, value func(param string) (string, bool)) (string, error) {
	var b strings.Builder
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			b.WriteString(text)
			return b.String(), nil
		}
		if i > 0 && text[i-1] == '$' {
			b.WriteString(text[:i-1])
			b.WriteString("${")
			text = text[i+2:]
			continue
		}
		b.WriteString(text[:i])
		text = text[i:]
		end := strings.IndexByte(text, '}')
		if end < 0 {
			return "", fmt.Errorf("%s has no closing }", quote(text))
		}
		whole := text[:end+1]
		name, isParam := strings.CutPrefix(whole[:end], paramOpen)
		if !isParam || name == "" {
			return "", fmt.Errorf("%s names no param", quote(whole))
		}
		v, ok := value(name)
		if !ok {
			return "", fmt.Errorf("%s has no value", quote(whole))
		}
		b.WriteString(v)
		text = text[end+1:]
	}
}

// argument is a param as it stands in a command: a string without its quotes.
func argument(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}
