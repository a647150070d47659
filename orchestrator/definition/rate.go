package definition

import (
	"fmt"
	"time"

	"github.com/deedrun/deed/task"
)

// Rate is so many in a time, written "5000/h".
type Rate struct {
	Count int           `json:"count"`
	Per   task.Duration `json:"per"`
}

// IsZero reports whether there is no limit.
func (r Rate) IsZero() bool { return r == Rate{} }

// Every is the time between two at this rate; 0: no limit.
func (r Rate) Every() time.Duration {
	if r.Count <= 0 {
		return 0
	}
	return time.Duration(r.Per) / time.Duration(r.Count)
}

// String is how it is written: "5000/h", "10/30s".
func (r Rate) String() string {
	switch time.Duration(r.Per) {
	case time.Second:
		return fmt.Sprintf("%d/s", r.Count)
	case time.Minute:
		return fmt.Sprintf("%d/m", r.Count)
	case time.Hour:
		return fmt.Sprintf("%d/h", r.Count)
	case 24 * time.Hour:
		return fmt.Sprintf("%d/d", r.Count)
	}
	return fmt.Sprintf("%d/%s", r.Count, r.Per)
}
