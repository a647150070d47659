package parse

import (
	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition"
)

// process reads the document.
func (r *reader) process(root *yaml.Node) {
	root = r.value(root)
	if root == nil {
		return
	}
	r.src.Pos = r.pos(root)
	r.keys(r.entries(root, "a definition", "begin with deed: v1"), "a definition", map[string]func(entry){
		"deed":     func(e entry) { r.src.Format, _ = r.text(e.value, "deed") },
		"name":     func(e entry) { r.src.Name, _ = r.text(e.value, "name") },
		"version":  func(e entry) { r.src.Version = r.version(e.value) },
		"inputs":   func(e entry) { r.src.Inputs = r.texts(e.value, "inputs") },
		"params":   r.params,
		"files":    func(e entry) { r.src.Files = r.texts(e.value, "files") },
		"steps":    func(e entry) { r.src.Steps = r.nodes(e.value, "", 0) },
		"outputs":  func(e entry) { r.src.Outputs = r.texts(e.value, "outputs") },
		"settings": r.settingsByAddress,
		"deadline": func(e entry) { r.src.Deadline = setting(r, e.value, "deadline", definition.ParseDuration) },

		"parallelism": func(e entry) { r.src.Parallelism = r.whole(e.value, "parallelism") },
		"weight":      func(e entry) { r.src.Weight = r.whole(e.value, "weight") },
		"cache":       func(e entry) { r.src.Cache = r.cache(e.value) },
	})
}

// version is kept as it is written: 1.10 is not 1.1.
func (r *reader) version(n *yaml.Node) definition.Text {
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float") || isText(n) {
		return definition.Text{Value: n.Value, Pos: r.pos(n)}
	}
	r.fault(n, "wrong-type", "", "version must be a text or a number, not %s", describe(n))
	return definition.Text{}
}

func (r *reader) params(e entry) {
	for _, p := range r.entries(e.value, "params", "write {top: 20}") {
		value, _ := r.scalar(p.value, "param "+clip(p.key.Value))
		r.src.Params = append(r.src.Params, definition.Param{Name: p.key, Default: value})
	}
}

func (r *reader) settingsByAddress(e entry) {
	for _, s := range r.entries(e.value, "settings", "write {count: {timeout: 5m}}") {
		at := definition.SettingsAt{Address: s.key}
		r.at = clip(s.key.Value)
		r.harmless(func() {
			r.keys(r.entries(s.value, "settings", "write {timeout: 5m}"), "settings", r.settings(&at.Settings))
		})
		r.at = ""
		r.src.Settings = append(r.src.Settings, at)
	}
}

// settings is the table of keys that may stand in a node and under settings.
func (r *reader) settings(s *definition.Settings) map[string]func(entry) {
	return map[string]func(entry){
		"timeout":     func(e entry) { s.Timeout = setting(r, e.value, "timeout", definition.ParseDuration) },
		"parallelism": func(e entry) { s.Parallelism = r.whole(e.value, "parallelism") },
		"tolerate":    func(e entry) { s.Tolerate = r.tolerance(e.value) },
		"pool":        func(e entry) { s.Pool = r.pool(e.value) },
		"needs":       func(e entry) { s.Needs = r.needs(e.value) },
		"rate":        func(e entry) { s.Rate = r.rate(e.value) },
		"env":         func(e entry) { s.Env = r.env(e.value) },
		"cache":       func(e entry) { s.Cache = r.cache(e.value) },
		"limits":      func(e entry) { s.Limits = r.limits(e.value) },
		"retry": func(e entry) {
			r.harmless(func() {
				r.keys(r.entries(e.value, "retry", "write {attempts: 3, backoff: 1s..30s}"), "retry", map[string]func(entry){
					"attempts": func(e entry) { s.Attempts = r.whole(e.value, "attempts") },
					"backoff":  func(e entry) { s.Backoff = setting(r, e.value, "backoff", definition.ParseBackoff) },
					"factor":   func(e entry) { s.Factor = r.factor(e.value) },
					"jitter":   func(e entry) { s.Jitter = r.jitter(e.value) },
				})
			})
		},
	}
}
