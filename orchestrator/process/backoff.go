package process

import (
	"cmp"
	"fmt"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// maxWait is the longest that a handler may ask to wait for another attempt.
const maxWait = 24 * time.Hour

// wait is how long a task that failed waits for another attempt: as long as its
// handler asked for, or as its step says.
func (d *decision) wait(retry definition.Retry, c FailTasks, index, failures int) time.Duration {
	if asked := min(time.Duration(c.After), maxWait); asked > 0 {
		return asked
	}
	return d.jitter(retry, backoff(retry, failures), c, index)
}

// backoff grows with every failure, from Min to Max.
func backoff(r definition.Retry, failures int) time.Duration {
	wait, most := float64(r.Backoff.Min), float64(r.Backoff.Max)
	factor := cmp.Or(r.Factor, 2)
	for i := 1; i < failures && wait < most && wait > 0 && factor > 1; i++ {
		wait *= factor
	}
	return time.Duration(min(wait, most))
}

// jitterBlock is how many neighbours wait equally long, so that events keep
// speaking of ranges; jitterLevels is how many different waits there are.
const (
	jitterBlock  = 64
	jitterLevels = 8
)

// jitter shortens a wait by up to a share of it, so that what failed together
// does not come back together. It is drawn from what the task is called: the
// same history always plans the same.
func (d *decision) jitter(r definition.Retry, wait time.Duration, c FailTasks, index int) time.Duration {
	if r.Jitter <= 0 {
		return wait
	}
	level := task.Bucket(fmt.Sprintf("%s/%s~%d[%d]@%d", d.ID, c.Address, c.Generation, index/jitterBlock, c.Attempt), jitterLevels)
	return wait - time.Duration(float64(wait)*min(r.Jitter, 1)*float64(level)/jitterLevels)
}
