package worker

import "github.com/deedrun/deed/task"

// weight is roughly what a result costs, in bytes.
func weight(r task.Result) int {
	n := resultBytes
	for _, p := range r.Parts {
		n += producedBytes(p)
	}
	if r.Failure != nil {
		n += len(r.Failure.Error)
	}
	for local, data := range r.Inputs {
		n += 256 + len(local)
		for _, p := range data.Parts {
			n += listed(p)
		}
	}
	return n
}

// producedBytes is what a part costs.
func producedBytes(p task.Produced) int {
	n := partBytes(p.Part) + len(p.Data)
	if p.Ref != nil {
		n += 128 + len(p.Ref.Key) + len(p.Ref.URL) + len(p.Ref.ETag)
	}
	return n
}

// partBytes is what a part with a value takes in a report, beside the name of its output.
func partBytes(p task.Part) int {
	return 64 + encodedBytes(p.Key) + encodedBytes(p.Name) + len(p.Value)
}

// encodedBytes is at least how many bytes a text has in JSON.
func encodedBytes(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c == '<' || c == '>' || c == '&':
			n += len(`\u0000`) - 1
		case c == '"' || c == '\\' || c == 0xe2: // of U+2028, say, three bytes become six
			n += 3
		}
	}
	return n
}

// listed is about what a part costs in a list.
func listed(p task.Part) int {
	n := partBytes(p)
	if p.Ref != nil {
		n += 128 + len(p.Ref.Where()) + len(p.Ref.ETag)
	}
	return n
}
