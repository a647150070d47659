package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
)

// Bucket is the blob store of the server, for [blob.New]. All of it can be read
// and listed. What can be written are inputs and files of definitions, under the
// keys of their content, and the marks that say that they are still wanted: what
// importing needs. Everything else, and removing, is the server's.
func (c *Client) Bucket() *gcblob.Bucket { return gcblob.NewBucket(&bucket{c}) }

type bucket struct{ *Client }

var _ driver.Bucket = (*bucket)(nil)

// Close has nothing to close: the client stays usable.
func (b *bucket) Close() error { return nil }

func (b *bucket) As(any) bool             { return false }
func (b *bucket) ErrorAs(error, any) bool { return false }

// ErrorCode implements driver.Bucket.
func (b *bucket) ErrorCode(err error) gcerrors.ErrorCode {
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return gcerrors.NotFound
	case errors.Is(err, blob.ErrExists):
		return gcerrors.FailedPrecondition
	case errors.Is(err, errNotHere), IsCode(err, wire.CodeReadOnly):
		return gcerrors.PermissionDenied
	case IsCode(err, wire.CodeInvalid), IsCode(err, wire.CodeUnsatisfied):
		return gcerrors.InvalidArgument
	case errors.Is(err, context.Canceled):
		return gcerrors.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return gcerrors.DeadlineExceeded
	}
	return gcerrors.Unknown
}

// errNotHere is what only the server does with blobs.
var errNotHere = errors.New("through the API of a server blobs can be read and imported, nothing else")

// Copy implements driver.Bucket.
func (b *bucket) Copy(context.Context, string, string, *driver.CopyOptions) error { return errNotHere }

// Delete implements driver.Bucket.
func (b *bucket) Delete(context.Context, string) error { return errNotHere }

// SignedURL implements driver.Bucket.
func (b *bucket) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", errNotHere
}

func (b *bucket) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	resp, err := b.send(ctx, request{method: http.MethodHead, path: []string{"v1", "blobs", key}})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return &driver.Attributes{ContentType: resp.Header.Get("Content-Type"), ModTime: modified(resp), Size: resp.ContentLength, ETag: resp.Header.Get("ETag")}, nil
}

func modified(resp *http.Response) time.Time {
	at, err := http.ParseTime(resp.Header.Get("Last-Modified"))
	if err != nil {
		return time.Time{}
	}
	return at
}

func (b *bucket) ListPaged(ctx context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	query := url.Values{"prefix": {o.Prefix}, "delimiter": {o.Delimiter}, "next": {string(o.PageToken)}}
	if o.PageSize > 0 {
		query.Set("limit", strconv.Itoa(o.PageSize))
	}
	var page wire.Blobs
	if err := b.get(ctx, &page, query, "v1", "blobs"); err != nil {
		return nil, err
	}
	list := &driver.ListPage{NextPageToken: []byte(page.Next)}
	for _, o := range page.Blobs {
		list.Objects = append(list.Objects, &driver.ListObject{Key: o.Key, Size: o.Size, ModTime: o.Modified, IsDir: o.Folder, AsFunc: b.As})
	}
	return list, nil
}

func (b *bucket) NewRangeReader(ctx context.Context, key string, offset, length int64, _ *driver.ReaderOptions) (driver.Reader, error) {
	if length == 0 { // what there is of it is asked, not its content
		a, err := b.Attributes(ctx, key)
		if err != nil {
			return nil, err
		}
		return &reader{client: b.Client, ctx: ctx, body: http.NoBody, about: driver.ReaderAttributes{ContentType: a.ContentType, ModTime: a.ModTime, Size: a.Size}}, nil
	}
	header := http.Header{}
	if offset > 0 || length > 0 {
		header.Set("Range", rangeOf(offset, length))
	}
	resp, err := b.send(ctx, request{method: http.MethodGet, path: []string{"v1", "blobs", key}, header: header})
	if err != nil {
		return nil, err
	}
	r := &reader{client: b.Client, ctx: ctx, body: resp.Body, left: resp.ContentLength}
	r.about = driver.ReaderAttributes{ContentType: resp.Header.Get("Content-Type"), ModTime: modified(resp), Size: resp.ContentLength}
	if resp.StatusCode == http.StatusPartialContent {
		_, whole, _ := strings.Cut(resp.Header.Get("Content-Range"), "/")
		if r.about.Size, err = strconv.ParseInt(whole, 10, 64); err != nil {
			_ = resp.Body.Close()
			return nil, fmt.Errorf("read blob %q: the answer of %s does not say which part of it it is", key, b.URL())
		}
	}
	return r, nil
}

func rangeOf(offset, length int64) string {
	if length < 0 {
		return fmt.Sprintf("bytes=%d-", offset)
	}
	return fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)
}
