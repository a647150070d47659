package file

import (
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
	"github.com/deedrun/deed/task"
)

// happening is one thing that happens to a process, as it was written.
type happening struct {
	definition.Pos
	verb       string
	subject    subject
	path       string // of another definition
	writes     []named
	values     []said
	attempt    *int
	generation *int
	error      string
	verdict    task.Verdict
	retryAfter time.Duration
	by         string
	because    string
	params     *texts
	set        *texts
	at         *time.Duration // since midnight
	after      time.Duration  // since what happened before
}

// verbs are what may happen, with the keys that may stand beside each. Those
// of onTasks need tasks, those of onSteps take an address, and the others
// stand alone.
var verbs = map[string][]string{
	"started":        {},
	"done":           {"writes", "values", "attempt", "generation"},
	"failed":         {"error", "verdict", "retry after", "attempt", "generation"},
	"lost":           {"attempt", "generation"},
	"timed out":      {"attempt", "generation"},
	"retry due":      {"attempt", "generation"},
	"deadline":       {},
	"paused":         {"by", "because"},
	"resumed":        {"by", "because"},
	"cancelled":      {"by", "because"},
	"retried":        {"by", "because"},
	"restarted from": {"by", "because"},
	"revised":        {"params", "set", "by", "because"},
}

var (
	onTasks = []string{"done", "failed", "lost", "timed out", "retry due"}
	onSteps = []string{"restarted from", "retried"}
	timing  = []string{"at", "after"}
)

// happening reads one item: the key that says what happens, and details beside it.
func (r *reader) happening(t *parse.Tree) (happening, bool) {
	faults := len(r.faults)
	h := happening{Pos: t.Pos, error: "out of luck", verdict: task.Retry}
	if text, ok := t.Text(); ok {
		h.verb = text
		r.alone(&h, t, nil)
		return h, len(r.faults) == faults
	}
	var object *parse.Tree
	var details []parse.Entry
	for _, e := range r.entries(t, "what happens", "write done: count[0], or one word such as paused") {
		switch _, isVerb := verbs[e.Key.Value]; {
		case !isVerb:
			details = append(details, e)
		case h.verb != "":
			r.fault(e.Key.Pos, "two-happenings", "begin a new item with a dash", "%s is another thing that happens", quote(e.Key.Value))
		default:
			h.verb, object = e.Key.Value, e.Value
		}
	}
	switch {
	case len(r.faults) > faults:
		return h, false
	case h.verb == "":
		r.noVerb(t, details)
		return h, false
	}
	switch text, isText := object.Text(); {
	case slices.Contains(onTasks, h.verb):
		h.subject, _ = r.subject(definition.Text{Value: text, Pos: object.Pos}, h.verb)
	case slices.Contains(onSteps, h.verb) && isText:
		if h.verb != "retried" || text != "all" {
			h.subject, _ = r.subject(definition.Text{Value: text, Pos: object.Pos}, h.verb)
		}
	case h.verb == "revised":
		if h.path = text; text == "" {
			r.fault(object.Pos, "wrong-type", "write the path of a definition, relative to this file", "revised must be a path, not %s", object)
		}
	default:
		details = append(details, r.alone(&h, t, object)...)
	}
	for _, e := range details {
		r.detail(&h, e)
	}
	return h, len(r.faults) == faults
}

// alone checks a verb that needs nothing. Its details may stand below it.
func (r *reader) alone(h *happening, t, object *parse.Tree) []parse.Entry {
	_, isVerb := verbs[h.verb]
	needs := isVerb && (slices.Contains(onTasks, h.verb) || h.verb == "restarted from" || h.verb == "revised")
	switch {
	case needs:
		r.fault(t.Pos, "wrong-type", "write "+h.verb+": and what it is about", "%s needs more than that", h.verb)
	case !isVerb:
		r.unknownVerb(t.Pos, h.verb)
	case object == nil || object.IsNull():
	case object.IsMapping():
		return object.Entries
	default:
		r.fault(object.Pos, "wrong-type", "leave it out, or say by whom: {by: ada, because: why}", "%s needs nothing, and has %s", h.verb, object)
	}
	return nil
}

func (r *reader) noVerb(t *parse.Tree, details []parse.Entry) {
	if len(details) == 0 {
		r.fault(t.Pos, "no-happening", "write done: count[0], or one word such as paused", "nothing happens here")
		return
	}
	r.unknownVerb(details[0].Key.Pos, details[0].Key.Value)
}

func (r *reader) unknownVerb(at definition.Pos, verb string) {
	known := slices.Sorted(maps.Keys(verbs))
	r.fault(at, "unknown-happening", r.spell.Choice(verb, known), "%s is nothing that can happen", quote(verb))
}

func (r *reader) detail(h *happening, e parse.Entry) {
	known := append(slices.Clone(verbs[h.verb]), timing...)
	if !slices.Contains(known, e.Key.Value) {
		r.unknown(e.Key, h.verb, known)
		return
	}
	switch e.Key.Value {
	case "writes":
		for _, w := range r.entries(e.Value, "writes", "write {NAME: 2}, or the keys: {NAME: [a, b]}") {
			if p, ok := r.parts(w.Value, "what is written to "+quote(w.Key.Value)); ok {
				h.writes = append(h.writes, named{w.Key, p})
			}
		}
	case "values":
		h.values = r.said(e.Value)
	case "attempt":
		h.attempt = r.whole(e, 1)
	case "generation":
		h.generation = r.whole(e, 0)
	case "error":
		h.error = r.text(e).Value
	case "verdict":
		h.verdict = r.verdict(e)
	case "retry after":
		h.retryAfter = r.duration(e)
	case "by":
		h.by = r.text(e).Value
	case "because":
		h.because = r.text(e).Value
	case "params":
		t := r.texts(e)
		h.params = &t
	case "set":
		t := r.texts(e)
		h.set = &t
	case "at":
		h.at = r.timeOfDay(e)
	case "after":
		h.after = r.duration(e)
	}
}

func (r *reader) verdict(e parse.Entry) task.Verdict {
	text, _ := e.Value.Text()
	switch v := task.Verdict(text); v {
	case task.Retry, task.Permanent, task.TimedOut:
		return v
	}
	r.fault(e.Value.Pos, "bad-verdict", "write retry, permanent or timed-out", "%s is no verdict of a failure", e.Value)
	return task.Retry
}

func (r *reader) timeOfDay(e parse.Entry) *time.Duration {
	text, _ := e.Value.Scalar()
	at, err := time.Parse("15:04:05", text)
	if err != nil {
		at, err = time.Parse("15:04", text)
	}
	if err != nil {
		r.fault(e.Value.Pos, "bad-time", "write 12:05 or 12:05:30; or after: 10s, since what happened before", "%s is no time of the day", e.Value)
	}
	d := time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second
	return &d
}
