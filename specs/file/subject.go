package file

import (
	"regexp"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// subject is what something happens to: count[3], count[0-2,5], or count,
// which stands for all tasks of the step.
type subject struct {
	definition.Text
	address string
	tasks   task.Ranges
	all     bool
}

var subjectForm = regexp.MustCompile(`^([a-z][a-z0-9_/-]*)(?:\[([-–, 0-9]*)\])?$`)

func (r *reader) subject(t definition.Text, what string) (subject, bool) {
	found := subjectForm.FindStringSubmatch(strings.TrimSpace(t.Value))
	if found == nil {
		r.fault(t.Pos, "bad-subject", "write count[3], count[0-2,5], or count for all of its tasks", "%s: %s names no tasks", what, quote(t.Value))
		return subject{}, false
	}
	s := subject{Text: t, address: found[1], all: !strings.Contains(t.Value, "[")}
	if s.all {
		return s, true
	}
	text := strings.NewReplacer("–", "-", " ", "").Replace(found[2])
	if err := s.tasks.UnmarshalText([]byte(text)); err != nil || len(s.tasks) == 0 {
		r.fault(t.Pos, "bad-subject", "write count[3] or count[0-2,5], in ascending order", "%s: %s names no tasks", what, quote(t.Value))
		return subject{}, false
	}
	return s, true
}
