package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// outputs are what a process wrote, by the names of its data: its outputs, and
// whatever else is sealed.
func (r *routes) outputs() {
	route(r, viewer, http.MethodGet, "/v1/processes/{id}/outputs", "List the outputs that are there", r.listOutputs)
	route(r, viewer, http.MethodGet, "/v1/processes/{id}/outputs/{name}", "List the parts of an output", r.listParts)
	r.raw(viewer, http.MethodGet, "/v1/processes/{id}/outputs/{name}/{part}", "Read a part of an output, or a range of it", mediaBytes, content(), r.readPart)
}

func (s *server) listOutputs(ctx context.Context, in *struct{ ProcessPath }) (*body[wire.Outputs], error) {
	state, err := s.load(ctx, in.ID, 0)
	if err != nil {
		return nil, err
	}
	out := wire.Outputs{Outputs: []wire.Output{}}
	for _, name := range state.Definition.Outputs {
		if data, ok := state.Data(name); ok {
			out.Outputs = append(out.Outputs, wire.Output{Name: name, Parts: data.Count, Keys: data.Keys, Bytes: data.Bytes})
		}
	}
	return &body[wire.Outputs]{out}, nil
}

type partsInput struct {
	ProcessPath
	Name  string `path:"name" maxLength:"256" doc:"The name of the data."`
	From  int    `query:"from" minimum:"0" doc:"The first part of the page."`
	Limit int    `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
}

func (s *server) listParts(ctx context.Context, in *partsInput) (*body[wire.Parts], error) {
	list, err := s.partsOf(ctx, in.ID, in.Name)
	if err != nil {
		return nil, err
	}
	page := wire.Parts{Parts: []wire.OutputPart{}, Count: list.count}
	for i := in.From; i < min(in.From+in.Limit, list.count); i++ {
		part, err := list.part(ctx, i)
		if err != nil {
			return nil, err
		}
		page.Parts = append(page.Parts, wire.OutputPart{Part: i, Key: part.Key, Name: part.Name, Size: part.Size(), Value: part.Value, Ref: part.Ref})
	}
	return &body[wire.Parts]{page}, nil
}

// partList is an ordered list of parts, wherever it is stored.
type partList struct {
	count int
	part  func(ctx context.Context, i int) (task.Part, error)
}

func (s *server) partsOf(ctx context.Context, id, name string) (partList, error) {
	state, err := s.load(ctx, id, 0)
	if err != nil {
		return partList{}, err
	}
	data, ok := state.Data(name)
	if !ok {
		return partList{}, newProblem(http.StatusNotFound, wire.CodeNotFound,
			"process %q has no data named %q that is complete; it is %s", id, name, state.Status)
	}
	if data.Manifest == nil {
		return partList{len(data.Parts), func(_ context.Context, i int) (task.Part, error) { return data.Parts[i], nil }}, nil
	}
	list, err := s.Blobs.OpenManifest(ctx, *data.Manifest)
	if err != nil {
		return partList{}, fmt.Errorf("%s of process %q: %w", name, id, err)
	}
	return partList{list.Count(), list.Part}, nil
}

// readPart gives the content of a part. All of it is verified on the way, and cut
// off if it is not what was written; of a range the digest of the whole is told.
func (s *server) readPart(w http.ResponseWriter, r *http.Request) error {
	id, name := r.PathValue("id"), r.PathValue("name")
	if err := process.CheckID(id); err != nil {
		return newProblem(http.StatusBadRequest, wire.CodeInvalid, "%v", err)
	}
	list, err := s.partsOf(r.Context(), id, name)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PathValue("part"))
	if err != nil || n < 0 || n >= list.count {
		return newProblem(http.StatusNotFound, wire.CodeNotFound, "%s of process %q has %d parts, numbered from 0; there is no part %q", name, id, list.count, r.PathValue("part"))
	}
	part, err := list.part(r.Context(), n)
	if err != nil {
		return err
	}
	if part.Ref == nil {
		serveContent(w, r, mediaJSON, time.Time{}, bytes.NewReader(part.Value))
		return nil
	}
	if part.Ref.Elsewhere() { // as a whole: of a range nobody would see that it changed
		return s.sendWhole(w, r, *part.Ref)
	}
	content, _, err := s.Blobs.OpenUnverified(r.Context(), part.Ref.Key)
	if err != nil {
		return err
	}
	defer content.Close()
	sayDigest(w, part.Ref.SHA256)
	if r.Header.Get("Range") != "" || r.Method != http.MethodGet {
		serveContent(w, r, mediaBytes, time.Time{}, content)
		return nil
	}
	return s.sendWhole(w, r, *part.Ref)
}

// sendWhole sends a blob, verified. The last of it is held back until all of it
// is known to be what was written: what is not is cut off, so that nobody takes
// it for whole.
func (s *server) sendWhole(w http.ResponseWriter, r *http.Request, ref task.Ref) error {
	content, err := s.Blobs.OpenPart(r.Context(), task.Part{Ref: &ref})
	if err != nil {
		return err
	}
	defer content.Close()
	out := &patient{ResponseWriter: w, r: r, conn: http.NewResponseController(w)}
	var held []byte
	next, began := make([]byte, pieceBytes), false
	for {
		n, err := content.Read(next)
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			if !began {
				return err
			}
			s.log.Error("api: an output was cut off", "process", r.PathValue("id"), "blob", ref.Where(), "error", err)
			panic(http.ErrAbortHandler)
		}
		if !began && (ended || len(held) > 0) {
			began = true
			h := w.Header()
			h.Set("Content-Type", mediaBytes)
			h.Set("Content-Security-Policy", "sandbox") // it is somebody's data, and not to be run by a browser
			if !ref.Elsewhere() {
				h.Set("Accept-Ranges", "bytes")
			}
			h.Set("Content-Length", strconv.FormatInt(ref.Size, 10))
		}
		if len(held) > 0 {
			if _, err := out.Write(held); err != nil {
				panic(http.ErrAbortHandler) // whoever read it has gone
			}
		}
		if held = append(held[:0], next[:n]...); ended {
			_, _ = out.Write(held) // whoever read it may have gone
			return nil
		}
	}
}

const pieceBytes = 32 << 10
