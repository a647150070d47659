package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/deedrun/deed/api/wire"
)

// routes are the addresses of the API.
type routes struct {
	*server
	mux   *http.ServeMux
	api   huma.API
	needs map[string]need // by pattern of the mux
}

// route is an address that takes and gives JSON. Its errors become problems.
func route[I, O any](r *routes, n need, method, path, summary string, handle func(context.Context, *I) (*O, error), more ...func(*huma.Operation)) {
	op := huma.Operation{
		Method: method, Path: path, Summary: summary, OperationID: operations[method+" "+path], Tags: []string{tag(path)},
		MaxBodyBytes: -1, BodyReadTimeout: -1, // the door has read and measured it
		Responses: map[string]*huma.Response{"default": r.problems()},
	}
	for _, change := range more {
		change(&op)
	}
	n.describe(&op)
	r.needs[method+" "+path] = n
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, r.problem(ctx, err)
		}
		return out, nil
	})
}

// raw is an address whose content is no JSON document, or has no end. It is
// described like the others; schema is that of the content.
func (r *routes) raw(n need, method, path, summary, media string, schema *huma.Schema, handle func(w http.ResponseWriter, req *http.Request) error, more ...func(*huma.Operation)) {
	r.needs[method+" "+path] = n
	r.mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, req *http.Request) {
		if err := handle(w, req); err != nil {
			writeProblem(w, req, r.problem(req.Context(), err))
		}
	})
	described := strings.ReplaceAll(path, "...}", "}")
	op := &huma.Operation{
		Method: method, Path: described, Summary: summary, OperationID: operations[method+" "+described], Tags: []string{tag(path)},
		DefaultStatus: http.StatusOK,
	}
	for segment := range strings.SplitSeq(described, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			param(&huma.Param{Name: strings.TrimSuffix(name, "}"), In: "path", Required: true, Schema: text()})(op)
		}
	}
	for _, change := range more {
		change(op)
	}
	answer := &huma.Response{Description: http.StatusText(op.DefaultStatus)}
	if media != "" {
		answer.Content = map[string]*huma.MediaType{media: {Schema: schema}}
	}
	op.Responses = map[string]*huma.Response{strconv.Itoa(op.DefaultStatus): answer, "default": r.problems()}
	n.describe(op)
	r.api.OpenAPI().AddOperation(op)
}

// problems describes what comes in place of an answer.
func (r *routes) problems() *huma.Response {
	schema := r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[wire.Problem](), true, "Problem")
	return &huma.Response{Description: "A problem", Content: map[string]*huma.MediaType{wire.ProblemType: {Schema: schema}}}
}

// tag is the first word of a path.
func tag(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/v1/"), "/")
	return strings.TrimPrefix(first, "/")
}
