package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// stalled is a bucket that stores nothing, and says so only when it is told to.
type stalled struct {
	driver.Bucket
	until <-chan struct{}
}

func (s *stalled) NewTypedWriter(context.Context, string, string, *driver.WriterOptions) (driver.Writer, error) {
	<-s.until
	return nil, errors.New("the bucket is away")
}

func (*stalled) ErrorCode(error) gcerrors.ErrorCode { return gcerrors.Internal }
func (*stalled) Close() error                       { return nil }

func TestATaskIsJudgedByWhatItDidHoweverLongItsLogTakesToStore(t *testing.T) {
	r, bucket := newRig(t), &stalled{}
	r.blobs = blob.New(gcblob.NewBucket(bucket))
	t.Cleanup(func() { _ = r.blobs.Close() })
	Handle(r.reg, "fails", func(ctx context.Context, t *Task) error {
		bucket.until = ctx.Done()
		t.Logf("no such row")
		return Permanent(errors.New("bad data"))
	})
	w := message(handler("fails"), value("1"))
	w.Timeout = task.Duration(100 * time.Millisecond)
	got := r.do(w)
	require.Equal(t, &task.Failure{Error: "bad data", Verdict: task.Permanent}, got.Failure)
}
