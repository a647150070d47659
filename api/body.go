package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/deedrun/deed/api/wire"
)

// How much of a request is read, and for how long. Content of blobs and archives
// is streamed: for those the time counts from one piece to the next.
const (
	mostJSON    = 4 << 20
	mostText    = 1 << 20 // of a definition, or of a command
	readWithin  = 15 * time.Second
	pieceWithin = time.Minute
)

// waitForBody says how long what is still to come of a body is waited for: also
// by the server when it has answered, and nobody wants it any more. net/http
// begins anew with each request.
func waitForBody(w http.ResponseWriter, r *http.Request, within time.Duration) {
	if r.Body != nil && r.Body != http.NoBody {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(within)) // not every connection of a test has one
	}
}

// allHasCome is for a body that has come whole: what comes then is another request,
// or that nobody waits for the answer any more.
func allHasCome(conn *http.ResponseController) { _ = conn.SetReadDeadline(time.Time{}) }

// readJSON reads a body of JSON whole, in bounded time, so that no handler waits
// for the rest of one.
func readJSON(w http.ResponseWriter, r *http.Request) *wire.Problem {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Body == nil || r.Body == http.NoBody || media == mediaBytes {
		return nil
	}
	waitForBody(w, r, readWithin)
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostJSON))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, wire.CodeTooLarge, "the body is larger than the %d bytes that are read here; large inputs are stored first, by PUT /v1/blobs/KEY", tooLarge.Limit)
	case err != nil:
		return newProblem(http.StatusRequestTimeout, wire.CodeInvalid, "the body did not come whole within %s: %v", readWithin, err)
	}
	allHasCome(http.NewResponseController(w))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	return nil
}

// pieces reads a body that may be long: the time counts from one piece to the next.
type pieces struct {
	io.Reader
	conn *http.ResponseController
}

func piecesOf(w http.ResponseWriter, r *http.Request) *pieces {
	return &pieces{Reader: r.Body, conn: http.NewResponseController(w)}
}

func (p *pieces) Read(b []byte) (int, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(pieceWithin)) // not every connection of a test has one
	n, err := p.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		allHasCome(p.conn)
	}
	return n, err
}
