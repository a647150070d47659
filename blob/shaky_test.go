package blob_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"
)

// shaky is a store elsewhere, in memory, that fails as a test wants it to.
type shaky struct {
	driver.Bucket // what no test needs

	mu      sync.Mutex
	objects map[string]shakyObject
	asked   []string // operations, in order

	// What happens to the nth request of an operation, from 0: an error before
	// anything was done, or, of a write, after it.
	before, after func(operation string, nth int) error

	// What reading a stream does from an offset on, other than to go on.
	reading func(offset int64) error
	stuck   bool // pieces of a blob are not taken any more
}

type shakyObject struct {
	data     []byte
	metadata map[string]string
	written  time.Time
}

// refusal is an answer with a status, and what the driver takes it for.
type refusal struct {
	status int
	code   gcerrors.ErrorCode
}

func (r refusal) Error() string { return fmt.Sprintf("the store answered %d", r.status) }

var shakies sync.Map // by the host of their URL

func init() {
	blob.Register("shaky", blob.Driver{
		Open: func(_ context.Context, u *url.URL) (*gcblob.Bucket, error) {
			b, _ := shakies.Load(u.Host)
			return gcblob.NewBucket(b.(*shaky)), nil
		},
		Status: func(err error) int {
			var r refusal
			errors.As(err, &r)
			return r.status
		},
	})
}

// openShaky opens a store on the bucket.
func openShaky(t *testing.T, b *shaky) *blob.Store {
	t.Helper()
	b.objects = map[string]shakyObject{}
	host := strings.ToLower(rand.Text())
	shakies.Store(host, b)
	t.Cleanup(func() { shakies.Delete(host) })
	return open(t, "shaky://"+host)
}

func (b *shaky) request(operation string) (nth int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, asked := range b.asked {
		if asked == operation {
			nth++
		}
	}
	b.asked = append(b.asked, operation)
	if b.before != nil {
		err = b.before(operation, nth)
	}
	return nth, err
}

func (b *shaky) ErrorCode(err error) gcerrors.ErrorCode {
	var r refusal
	if errors.As(err, &r) {
		return r.code
	}
	return gcerrors.Unknown
}

func (b *shaky) ErrorAs(error, any) bool { return false }
func (b *shaky) Close() error            { return nil }

var (
	errShakyMissing = refusal{status: 404, code: gcerrors.NotFound}
	errShakyTaken   = refusal{status: 412, code: gcerrors.FailedPrecondition}
	errShakyTrouble = refusal{status: 503}
)

func (b *shaky) object(key string) (shakyObject, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.objects[key]
	if !ok {
		return o, errShakyMissing
	}
	return o, nil
}

func (b *shaky) Attributes(_ context.Context, key string) (*driver.Attributes, error) {
	if _, err := b.request("look"); err != nil {
		return nil, err
	}
	o, err := b.object(key)
	return &driver.Attributes{Size: int64(len(o.data)), Metadata: o.metadata, ModTime: o.written}, err
}

func (b *shaky) Delete(_ context.Context, key string) error {
	if _, err := b.request("delete"); err != nil {
		return err
	}
	if _, err := b.object(key); err != nil {
		return err
	}
	b.mu.Lock()
	delete(b.objects, key)
	b.mu.Unlock()
	return nil
}

func (b *shaky) ListPaged(_ context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	if _, err := b.request("list"); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	page := &driver.ListPage{}
	for key := range b.objects {
		if strings.HasPrefix(key, o.Prefix) {
			page.Objects = append(page.Objects, &driver.ListObject{Key: key})
		}
	}
	slices.SortFunc(page.Objects, func(a, b *driver.ListObject) int { return strings.Compare(a.Key, b.Key) })
	return page, nil
}

func (b *shaky) NewRangeReader(ctx context.Context, key string, offset, length int64, _ *driver.ReaderOptions) (driver.Reader, error) {
	if _, err := b.request(fmt.Sprint("read ", offset)); err != nil {
		return nil, err
	}
	o, err := b.object(key)
	if err != nil {
		return nil, err
	}
	if offset > int64(len(o.data)) {
		return nil, refusal{status: 416}
	}
	data := o.data[offset:]
	if length >= 0 {
		data = data[:min(length, int64(len(data)))]
	}
	return &shakyReader{bucket: b, ctx: ctx, object: o, at: offset, r: bytes.NewReader(data)}, nil
}

type shakyReader struct {
	bucket *shaky
	ctx    context.Context
	object shakyObject
	at     int64
	r      *bytes.Reader
}

func (r *shakyReader) Read(p []byte) (int, error) {
	if r.bucket.reading != nil {
		switch err := r.bucket.reading(r.at); {
		case errors.Is(err, errStuck):
			<-r.ctx.Done()
			return 0, r.ctx.Err()
		case err != nil:
			return 0, err
		}
	}
	n, err := r.r.Read(p[:min(len(p), 10)])
	r.at += int64(n)
	return n, err
}

// errStuck is a stream on which nothing comes any more.
var errStuck = errors.New("stuck")

func (r *shakyReader) Close() error { return nil }
func (r *shakyReader) As(any) bool  { return false }
func (r *shakyReader) Attributes() *driver.ReaderAttributes {
	return &driver.ReaderAttributes{Size: int64(len(r.object.data)), ModTime: r.object.written}
}

func (b *shaky) NewTypedWriter(ctx context.Context, key, _ string, o *driver.WriterOptions) (driver.Writer, error) {
	return &shakyWriter{bucket: b, ctx: ctx, key: key, o: o}, nil
}

type shakyWriter struct {
	bucket *shaky
	ctx    context.Context
	key    string
	o      *driver.WriterOptions
	data   bytes.Buffer
}

func (w *shakyWriter) Write(p []byte) (int, error) {
	if w.bucket.stuck {
		<-w.ctx.Done()
		return 0, w.ctx.Err()
	}
	return w.data.Write(p)
}

func (w *shakyWriter) Close() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	nth, err := w.bucket.request("write")
	if err != nil {
		return err
	}
	b := w.bucket
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, taken := b.objects[w.key]; taken && w.o.IfNotExist {
		return errShakyTaken
	}
	b.objects[w.key] = shakyObject{data: w.data.Bytes(), metadata: w.o.Metadata, written: time.Now()}
	if b.after != nil {
		return b.after("write", nth)
	}
	return nil
}

// stored puts a blob there.
func stored(t *testing.T, store *blob.Store, key, data string) task.Ref {
	t.Helper()
	w, err := store.Create(t.Context(), key)
	require.NoError(t, err)
	defer w.Abort()
	_, err = io.WriteString(w, data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return w.Ref()
}
