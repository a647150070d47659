package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"
)

// guarded is a folder of blobs where each role may do what its policy of AWS says,
// at guarded://ROLE/folder. Like S3 it refuses to say that a blob is not there to
// whoever may not list.
var guarded = &guard{}

func init() { gcblob.DefaultURLMux().RegisterBucket("guarded", guarded) }

type guard struct {
	mu       sync.Mutex
	policies map[string]policy
	did      map[string]map[string]bool // by role: actions
	faults   []string
}

// policy is one of AWS, of the few forms that deploy/aws has.
type policy struct {
	Statement []struct {
		Effect           string
		Action, Resource oneOrMore
	}
}

type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(o))
}

func (o oneOrMore) matches(name string) bool {
	return slices.ContainsFunc(o, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return pattern == name || open && strings.HasPrefix(name, prefix)
	})
}

// allows reports whether something permits it, and nothing forbids it.
func (p policy) allows(action, resource string) bool {
	allowed := false
	for _, s := range p.Statement {
		if s.Action.matches(action) && s.Resource.matches(resource) {
			if s.Effect == "Deny" {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

// guardBy begins anew, with these policies.
func (g *guard) guardBy(t *testing.T, files map[string]string) {
	t.Helper()
	g.policies, g.did, g.faults = map[string]policy{}, map[string]map[string]bool{}, nil
	for role, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var p policy
		require.NoError(t, json.Unmarshal(data, &p))
		g.policies[role], g.did[role] = p, map[string]bool{}
	}
}

var errForbidden = errors.New("forbidden by the policy of the role")

// may notes what a role does, and refuses what its policy does not permit.
func (g *guard) may(role, action, key string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	resource := "arn:aws:s3:::BUCKET"
	if action != "s3:ListBucket" {
		resource += "/" + key
	}
	if !g.policies[role].allows(action, resource) {
		g.faults = append(g.faults, fmt.Sprintf("%s may not do %s to %q", role, action, key))
		return fmt.Errorf("%s %s %q: %w", role, action, key, errForbidden)
	}
	g.did[role][action] = true
	return nil
}

func (g *guard) fault(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, fmt.Sprintf(format, args...))
}

func (g *guard) OpenBucketURL(_ context.Context, u *url.URL) (*gcblob.Bucket, error) {
	inner, err := fileblob.OpenBucket(u.Path, &fileblob.Options{CreateDir: true, NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	return gcblob.NewBucket(&guardedBucket{guard: g, role: u.Host, inner: inner}), err
}

// guardedBucket is the folder as a role sees it.
type guardedBucket struct {
	guard *guard
	role  string
	inner *gcblob.Bucket
}

func (b *guardedBucket) Close() error            { return b.inner.Close() }
func (b *guardedBucket) As(any) bool             { return false }
func (b *guardedBucket) ErrorAs(error, any) bool { return false }

func (b *guardedBucket) ErrorCode(err error) gcerrors.ErrorCode {
	if errors.Is(err, errForbidden) {
		return gcerrors.PermissionDenied
	}
	return gcerrors.Code(err)
}

func (b *guardedBucket) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	if err := b.guard.may(b.role, "s3:GetObject", key); err != nil {
		return nil, err
	}
	a, err := b.inner.Attributes(ctx, key)
	if err != nil {
		return nil, b.told(err)
	}
	return &driver.Attributes{ContentType: a.ContentType, ModTime: a.ModTime, Size: a.Size, ETag: a.ETag}, nil
}

// told is an error as it is told to the role.
func (b *guardedBucket) told(err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound && !b.guard.policies[b.role].allows("s3:ListBucket", "arn:aws:s3:::BUCKET") {
		return fmt.Errorf("%w: %w", errForbidden, err)
	}
	return err
}

func (b *guardedBucket) ListPaged(ctx context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	if err := b.guard.may(b.role, "s3:ListBucket", o.Prefix); err != nil {
		return nil, err
	}
	token := o.PageToken
	if len(token) == 0 {
		token = gcblob.FirstPageToken
	}
	size := o.PageSize
	if size == 0 {
		size = 1000
	}
	objects, next, err := b.inner.ListPage(ctx, token, size, &gcblob.ListOptions{Prefix: o.Prefix, Delimiter: o.Delimiter})
	page := &driver.ListPage{NextPageToken: next}
	for _, object := range objects {
		page.Objects = append(page.Objects, &driver.ListObject{Key: object.Key, ModTime: object.ModTime, Size: object.Size, IsDir: object.IsDir, AsFunc: b.As})
	}
	return page, err
}

func (b *guardedBucket) NewRangeReader(ctx context.Context, key string, offset, length int64, _ *driver.ReaderOptions) (driver.Reader, error) {
	if err := b.guard.may(b.role, "s3:GetObject", key); err != nil {
		return nil, err
	}
	r, err := b.inner.NewRangeReader(ctx, key, offset, length, nil)
	if err != nil {
		return nil, b.told(err)
	}
	return &guardedReader{r}, nil
}

type guardedReader struct{ *gcblob.Reader }

func (r *guardedReader) As(any) bool { return false }
func (r *guardedReader) Attributes() *driver.ReaderAttributes {
	return &driver.ReaderAttributes{ContentType: r.ContentType(), ModTime: r.ModTime(), Size: r.Size()}
}

func (b *guardedBucket) NewTypedWriter(ctx context.Context, key, contentType string, o *driver.WriterOptions) (driver.Writer, error) {
	if err := b.guard.may(b.role, "s3:PutObject", key); err != nil {
		return nil, err
	}
	if b.role == "worker" && !o.IfNotExist {
		b.guard.fault("worker would replace %q", key)
	}
	if o.BeforeWrite != nil {
		if err := o.BeforeWrite(b.As); err != nil {
			return nil, err
		}
	}
	return b.inner.NewWriter(ctx, key, &gcblob.WriterOptions{ContentType: contentType, IfNotExist: o.IfNotExist})
}

func (b *guardedBucket) Copy(_ context.Context, to, _ string, _ *driver.CopyOptions) error {
	return b.guard.may(b.role, "s3:CopyObject", to)
}

func (b *guardedBucket) Delete(ctx context.Context, key string) error {
	if err := b.guard.may(b.role, "s3:DeleteObject", key); err != nil {
		return err
	}
	return b.inner.Delete(ctx, key)
}

func (b *guardedBucket) SignedURL(_ context.Context, key string, _ *driver.SignedURLOptions) (string, error) {
	return "", b.guard.may(b.role, "s3:GetObject", key)
}
