package wire

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
)

// ProblemType is the media type of a Problem (RFC 9457).
const ProblemType = "application/problem+json"

// Codes of problems, for programs. A code never changes its meaning.
const (
	CodeInvalid     = "invalid"        // the request is not as it has to be
	CodeFaults      = "faults"         // a definition is refused; see Faults
	CodeInput       = "input"          // an input is missing, unknown or not there
	CodeRefused     = "refused"        // the process will not do that, now or ever; see Differs
	CodeNoProcess   = "no-process"     // there is no such process
	CodeNotFound    = "not-found"      // there is nothing at this address
	CodeRemoved     = "removed"        // the archive of the process was removed for good
	CodeNoBlob      = "no-blob"        // the blob is not there
	CodeBlobExists  = "blob-exists"    // a blob of that key is there, and stays
	CodeCorrupt     = "corrupt"        // stored data is not what was written
	CodeReadOnly    = "read-only"      // what may be read here, and not written
	CodeDamaged     = "damaged"        // a stored history is no history any more
	CodeUnavailable = "unavailable"    // the event store or the queues cannot be reached right now
	CodeNoAnswer    = "no-answer"      // the orchestrator did not answer in time; the command may be carried out yet
	CodeTooLarge    = "too-large"      // the request is larger than is read
	CodeForeign     = "foreign"        // the request was made for another host, or by another site
	CodeMediaType   = "media-type"     // the body is neither JSON nor, where that belongs, bytes
	CodeMethod      = "method"         // the address does not take this method
	CodeLeaving     = "leaving"        // the server ends; ask the next one
	CodeInternal    = "internal"       // none of these
	CodeArchiveFile = "archive-file"   // the file is no archive, or not a whole one
	CodeAcceptable  = "not-acceptable" // the server answers in JSON alone
	CodeUnsatisfied = "range"          // the range is outside of the content

	CodeUnauthorized = "unauthorized" // no token was shown where one is asked for, or one that opens nothing
	CodeForbidden    = "forbidden"    // the token is one, and its role does not reach that far
)

// Problem is why a request was not granted, as it travels.
type Problem struct { //nolint:errname // the word of RFC 9457, and more than an error: a document
	Title   string    `json:"title" doc:"The status in words."`
	Status  int       `json:"status" doc:"The HTTP status."`
	Code    string    `json:"code" doc:"What it is, for programs; it never changes its meaning."`
	Detail  string    `json:"detail" doc:"What happened, where, and what to do next, for people."`
	Differs []string  `json:"differs,omitempty" doc:"The reasons of a refusal, one by one."`
	Faults  []Fault   `json:"faults,omitempty" doc:"What is wrong with a definition."`
	Errors  []Invalid `json:"errors,omitempty" doc:"What of the request is not as it has to be."`
}

// Fault is one reason why a definition is refused.
type Fault struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Address string `json:"address,omitempty" doc:"The step or group it is about; empty: the whole definition."`
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Invalid is a part of a request that is not as it has to be.
type Invalid struct {
	Where   string `json:"where,omitempty"`
	Message string `json:"message"`
}

// Error is the detail, with what is wrong with the request if it has parts.
func (p *Problem) Error() string {
	if len(p.Errors) == 0 {
		return p.Detail
	}
	parts := make([]string, len(p.Errors))
	for i, e := range p.Errors {
		parts[i] = e.Message
		if e.Where != "" {
			parts[i] = e.Where + ": " + e.Message
		}
	}
	return fmt.Sprintf("%s: %s", p.Detail, strings.Join(parts, "; "))
}

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of problems, whatever was asked for.
func (p *Problem) ContentType(string) string { return ProblemType }

// GetHeaders are those of the answer: what passes may be asked again soon, and
// who shows no token is told that one is asked for.
func (p *Problem) GetHeaders() http.Header {
	switch p.Code {
	case CodeUnauthorized:
		return http.Header{"Www-Authenticate": {`Bearer realm="deed"`}}
	case CodeUnavailable, CodeLeaving, CodeNoAnswer:
		return http.Header{"Retry-After": {"1"}}
	}
	return http.Header{}
}

// FaultsOf is how faults travel.
func FaultsOf(faults []definition.Fault) []Fault {
	all := make([]Fault, len(faults))
	for i, f := range faults {
		all[i] = Fault{File: f.File, Line: f.Line, Column: f.Column, Address: f.Address, Code: f.Code, Message: f.Message, Hint: f.Hint}
	}
	return all
}

// Definition is the fault as it was made.
func (f Fault) Definition() definition.Fault {
	return definition.Fault{
		Pos: definition.Pos{File: f.File, Line: f.Line, Column: f.Column}, Address: f.Address, Code: f.Code, Message: f.Message, Hint: f.Hint,
	}
}
