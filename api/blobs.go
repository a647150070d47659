package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
)

// blobs are the blob store: all of it to be read, and what importing needs to be
// written.
func (r *routes) blobs() {
	route(r, viewer, http.MethodGet, "/v1/blobs", "List blobs", r.listBlobs)
	r.raw(viewer, http.MethodGet, "/v1/blobs/{key...}", "Read a blob, or a range of it; HEAD says how large it is", mediaBytes, content(), r.readBlob)
	r.raw(operator, http.MethodPut, "/v1/blobs/{key...}", "Store an input or a file of a definition, under sha256/ and its digest: two digits, a slash and the rest", "", nil, r.storeBlob,
		status(http.StatusCreated), takes(mediaBytes, "The content."))
}

type listBlobsInput struct {
	Prefix    string `query:"prefix" maxLength:"1024" doc:"What the keys begin with."`
	Delimiter string `query:"delimiter" maxLength:"1" doc:"Keys that go on beyond it are listed as one."`
	Next      string `query:"next" maxLength:"4096" doc:"Where the page begins, as the one before it says."`
	Limit     int    `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
}

func (s *server) listBlobs(ctx context.Context, in *listBlobsInput) (*body[wire.Blobs], error) {
	begin, err := base64.RawURLEncoding.DecodeString(in.Next)
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, wire.CodeInvalid, "next=%q is from no page", in.Next)
	}
	if below := "/" + in.Prefix; strings.Contains(below, "/../") || strings.Contains(below, "/./") {
		return nil, newProblem(http.StatusBadRequest, wire.CodeInvalid, "prefix=%q begins no key", in.Prefix)
	}
	if may, err := s.mayList(ctx, in.Prefix); err != nil || !may {
		return &body[wire.Blobs]{wire.Blobs{Blobs: []wire.Blob{}}}, err
	}
	list, next, err := s.Blobs.List(ctx, in.Prefix, in.Delimiter, begin, in.Limit)
	if err != nil {
		return nil, err
	}
	page := wire.Blobs{Blobs: []wire.Blob{}, Next: base64.RawURLEncoding.EncodeToString(next)}
	for _, b := range list {
		seen, err := s.seesListed(ctx, b)
		if err != nil {
			return nil, err
		}
		if !seen {
			continue
		}
		page.Blobs = append(page.Blobs, wire.Blob{Key: b.Key, Size: b.Size, Modified: b.ModTime, Folder: b.Folder})
	}
	return &body[wire.Blobs]{page}, nil
}

func (s *server) readBlob(w http.ResponseWriter, r *http.Request) error {
	key := r.PathValue("key")
	if err := checkKey(key); err != nil {
		return err
	}
	seen, err := s.seesBlob(r.Context(), key)
	if err != nil {
		return err
	}
	if !seen {
		return noBlob(key)
	}
	content, written, err := s.Blobs.OpenUnverified(r.Context(), key)
	if errors.Is(err, blob.ErrNotFound) {
		return noBlob(key)
	}
	if err != nil {
		return err
	}
	defer content.Close()
	if kind, _ := blob.Classify(key); kind == blob.KindInput {
		_, sum, _ := strings.Cut(key, "/")
		sayDigest(w, strings.ReplaceAll(sum, "/", ""))
	}
	serveContent(w, r, mediaBytes, written, content)
	return nil
}

// sayDigest tells the SHA-256 of a content whole, so that whoever reads it can
// see that it is all there (RFC 9530).
func sayDigest(w http.ResponseWriter, sum string) {
	if digest, err := hex.DecodeString(sum); err == nil {
		w.Header().Set("ETag", `"`+sum+`"`)
		w.Header().Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest)+":")
	}
}

// serveContent gives content, or the range of it that is asked for.
func serveContent(w http.ResponseWriter, r *http.Request, media string, written time.Time, content io.ReadSeeker) {
	h := w.Header()
	h.Set("Content-Type", cmp.Or(media, mediaBytes))
	h.Set("Content-Security-Policy", "sandbox") // it is somebody's data, and not to be run by a browser
	http.ServeContent(&patient{ResponseWriter: w, r: r, conn: http.NewResponseController(w)}, r, "", written, content)
}

// patient gives a reader time from one piece to the next, and not for all of it.
// What net/http refuses by itself, a range, it makes a problem.
type patient struct {
	http.ResponseWriter
	r       *http.Request
	conn    *http.ResponseController
	refused bool
}

func (p *patient) WriteHeader(code int) {
	if p.refused = code >= http.StatusBadRequest; !p.refused {
		p.ResponseWriter.WriteHeader(code)
		return
	}
	writeProblem(p.ResponseWriter, p.r, newProblem(code, wire.CodeUnsatisfied, "there is nothing in the range %q; the content is %q", p.r.Header.Get("Range"), p.Header().Get("Content-Range")))
}

func (p *patient) Write(b []byte) (int, error) {
	if p.refused {
		return len(b), nil // it was said
	}
	_ = p.conn.SetWriteDeadline(time.Now().Add(writeWithin)) // not every connection of a test has one
	return p.ResponseWriter.Write(b)
}

func (s *server) storeBlob(w http.ResponseWriter, r *http.Request) error {
	key := r.PathValue("key")
	if err := checkKey(key); err != nil {
		return err
	}
	replace := r.Header.Get("If-None-Match") != "*"
	if err := s.Blobs.Receive(r.Context(), key, piecesOf(w, r), replace); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

func checkKey(key string) error {
	if err := blob.CheckKey(key); err != nil {
		return newProblem(http.StatusBadRequest, wire.CodeInvalid, "%v", err)
	}
	return nil
}
