package parse

import (
	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition"
)

// whole reads a whole number.
func (r *reader) whole(n *yaml.Node, what string) *definition.Setting[int] {
	var v int
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || n.Decode(&v) != nil {
		r.fault(n, "wrong-type", "", "%s must be a whole number, not %s", what, describe(n))
		return nil
	}
	return &definition.Setting[int]{Value: v, Pos: r.pos(n)}
}

// setting reads a text with a grammar of its own, such as a duration.
func setting[T any](r *reader, n *yaml.Node, what string, parse func(string) (T, error)) *definition.Setting[T] {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!int" && n.Value != "0" {
		r.fault(n, "wrong-type", "write "+clip(n.Value)+"s for seconds, or "+clip(n.Value)+"m for minutes", "%s has no unit of time", what)
		return nil
	}
	if !isText(n) && n.Value != "0" {
		r.fault(n, "wrong-type", "write a time like 30s, 5m or 1h30m", "%s must be a time, not %s", what, describe(n))
		return nil
	}
	return parsed(r, n, what, parse)
}

func parsed[T any](r *reader, n *yaml.Node, what string, parse func(string) (T, error)) *definition.Setting[T] {
	v, err := parse(n.Value)
	if err != nil {
		r.fault(n, "bad-"+what, "", "%s: %s", what, err)
		return nil
	}
	return &definition.Setting[T]{Value: v, Pos: r.pos(n)}
}

func (r *reader) factor(n *yaml.Node) *definition.Setting[float64] {
	if !isNumber(n) {
		r.fault(n, "wrong-type", "write 2, or 1.5", "factor must be a number, not %s", describe(n))
		return nil
	}
	return parsed(r, n, "factor", definition.ParseFactor)
}

func (r *reader) jitter(n *yaml.Node) *definition.Setting[float64] {
	if !isNumber(n) && !isText(n) {
		r.fault(n, "wrong-type", "write a share like 10%", "jitter must be a share, not %s", describe(n))
		return nil
	}
	return parsed(r, n, "jitter", definition.ParseJitter)
}

func (r *reader) tolerance(n *yaml.Node) *definition.Setting[definition.Tolerance] {
	if !isNumber(n) && !isText(n) {
		r.fault(n, "wrong-type", "write a number of tasks, a share like 1%, or all", "tolerate must say how many tasks, not %s", describe(n))
		return nil
	}
	return parsed(r, n, "tolerate", definition.ParseTolerance)
}

// cache says whether results of earlier tasks will do.
func (r *reader) cache(n *yaml.Node) *definition.Setting[definition.Cache] {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!bool" || isText(n) && n.Value == string(definition.CacheRefresh) {
		return parsed(r, n, "cache", definition.ParseCache)
	}
	r.fault(n, "wrong-type", "write true", "cache must be true or false, not %s", describe(n))
	return nil
}

// yes reads true or false.
func (r *reader) yes(n *yaml.Node, what string) *definition.Setting[bool] {
	var v bool
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(&v) != nil {
		r.fault(n, "wrong-type", "write true", "%s must be true or false, not %s", what, describe(n))
		return nil
	}
	return &definition.Setting[bool]{Value: v, Pos: r.pos(n)}
}
