package blob

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/deedrun/deed/task"
)

// address is an object, or a folder of objects, that lies outside the store.
type address struct {
	scheme, bucket string
	path           string // the key of an object; in a folder of files without the slash in front
	query          string // where the bucket is, in the order of the names
}

// parseAddress reads a URL as a person writes it.
func parseAddress(text string) (address, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return address{}, errors.New("a URL cannot be read: write it like s3://bucket/folder/, and a percent sign in it as %25")
	case u.User != nil:
		return address{}, errors.New("a URL names a user; credentials belong into the environment of who reads it")
	case strings.Contains(text, "#"):
		return address{}, fmt.Errorf("the URL %q: write # as %%23", clip(text))
	case u.Opaque != "" || u.Scheme == "":
		return address{}, fmt.Errorf("the URL %q: write it like s3://bucket/folder/", clip(text))
	}
	a := address{scheme: strings.ToLower(u.Scheme), bucket: u.Host, path: strings.TrimPrefix(u.Path, "/"), query: encodeQuery(u.Query())}
	if err := task.CheckURL(a.String()); err != nil {
		return address{}, err
	}
	return a, a.check()
}

// parseRef reads the URL of a reference, which has only one spelling: what is
// allowed must not depend on how something is written.
func parseRef(text string) (address, error) {
	if err := task.CheckURL(text); err != nil {
		return address{}, err
	}
	a, err := parseAddress(text)
	if err == nil && a.String() != text {
		err = fmt.Errorf("the URL %q: write it as %q", clip(text), clip(a.String()))
	}
	if err == nil && (a.path == "" || strings.HasSuffix(a.path, "/")) {
		err = fmt.Errorf("the URL %q: it names no object", clip(text))
	}
	return a, err
}

func (a address) check() error {
	switch {
	case a.scheme == fileScheme && (a.bucket != "" || a.query != ""):
		return fmt.Errorf("the URL %q: a file is written file:///abs/path, without parameters", clip(a.String()))
	case a.scheme == fileScheme && a.path != "" && path.Clean("/"+a.path) != "/"+strings.TrimSuffix(a.path, "/"):
		return fmt.Errorf("the URL %q: write the path as %q", clip(a.String()), clip(path.Clean("/"+a.path)))
	case a.scheme != fileScheme && a.bucket == "":
		return fmt.Errorf("the URL %q: it names no bucket; write it like %s://bucket/folder/", clip(a.String()), a.scheme)
	}
	return nil
}

// encodeQuery writes parameters in the order of their names, and addresses among
// their values as people write them.
func encodeQuery(q url.Values) string {
	return strings.NewReplacer("%3A", ":", "%2F", "/").Replace(q.Encode())
}

// withoutQuery is a URL as people know it.
func withoutQuery(url string) string {
	url, _, _ = strings.Cut(url, "?")
	return url
}

// String is the one spelling of the address.
func (a address) String() string {
	return (&url.URL{Scheme: a.scheme, Host: a.bucket, Path: "/" + a.path, RawQuery: a.query}).String()
}

// bucketURL is what its driver opens.
func (a address) bucketURL() string {
	return (&url.URL{Scheme: a.scheme, Host: a.bucket, RawQuery: a.query}).String()
}

// covers reports whether an object is the one at the address, or lies below it.
func (a address) covers(object address) bool {
	if a.scheme != object.scheme || a.bucket != object.bucket || a.query != object.query {
		return false
	}
	folder := strings.TrimSuffix(a.path, "/")
	return folder == "" || object.path == a.path || strings.HasPrefix(object.path, folder+"/")
}

// folder is the address of what an object lies in.
func (a address) folder() address {
	a.path = strings.TrimPrefix(path.Dir("/"+a.path), "/")
	if a.path != "" {
		a.path += "/"
	}
	return a
}

// IsURL reports whether a text that a person gives is a URL, and no path.
func IsURL(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	return ok && scheme != "" && strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz0123456789+.-") == ""
}
