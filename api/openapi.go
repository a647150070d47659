package api

import (
	"net/http"
	"reflect"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// What is said of an operation in the description of the API:

// status is the answer of success, if that is not 200.
func status(code int) func(*huma.Operation) {
	return func(op *huma.Operation) { op.DefaultStatus = code }
}

// param adds a parameter.
func param(p *huma.Param) func(*huma.Operation) {
	return func(op *huma.Operation) { op.Parameters = append(op.Parameters, p) }
}

// numberParam is a number in the query, textParam a text.
func numberParam(name, doc string) func(*huma.Operation) {
	zero := 0.0
	return param(&huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: &zero}})
}

func textParam(name, doc string) func(*huma.Operation) {
	return param(&huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}})
}

// takes is content of any form that is sent along.
func takes(media, doc string) func(*huma.Operation) {
	return func(op *huma.Operation) {
		op.RequestBody = &huma.RequestBody{Description: doc, Required: true, Content: map[string]*huma.MediaType{media: {Schema: content()}}}
	}
}

// text is any text, content any bytes.
func text() *huma.Schema { return &huma.Schema{Type: huma.TypeString} }

func content() *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: "binary"} }

// schemaOf is the schema of a type, described once for all who refer to it.
func schemaOf[T any](r *routes) *huma.Schema {
	return r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

// describe completes the description, once every address is there, and gives it
// to whoever may read anything.
func (r *routes) describe() {
	d := r.api.OpenAPI()
	d.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	d.Servers = []*huma.Server{{URL: "/", Description: "Where this description comes from."}}
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} { // huma's; problems take their place
		delete(d.Components.Schemas.Map(), unused)
	}
	submit := d.Paths["/v1/processes"].Post
	created := submit.Responses["201"]
	submit.Responses["200"] = &huma.Response{Description: "The process was there already", Headers: created.Headers, Content: created.Content}

	encoded := sync.OnceValues(d.MarshalJSON)
	const pattern = http.MethodGet + " /v1/openapi.json"
	r.needs[pattern] = viewer
	r.mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) {
		document, err := encoded()
		if err != nil {
			writeProblem(w, req, r.problem(req.Context(), err))
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(document) // there is nobody left to tell
	})
}
