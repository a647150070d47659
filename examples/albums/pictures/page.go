package pictures

import (
	"context"
	"encoding/base64"
	"errors"
	"html/template"

	"github.com/deedrun/deed/worker"
)

var html = template.Must(template.New("page").Parse(`<!doctype html>
<meta charset="utf-8"><title>Albums</title>
<style>body { font: 16px sans-serif; margin: 2em auto; max-width: 60em } img { max-width: 100% }</style>
<h1>Albums</h1>
{{range .}}<h2>{{.Album}}</h2>
<img alt="the contact sheet of {{.Album}}" src="{{.Picture}}">
{{end}}`))

type shown struct {
	Album   string
	Picture template.URL
}

// page writes one page with all of `sheets` in it, by the names of their albums.
func page(_ context.Context, t *worker.Task) error {
	var albums []shown
	for part, err := range t.Parts("sheets") {
		if err != nil {
			return err
		}
		data, err := read(part)
		if err != nil {
			return err
		}
		picture := template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(data)) // letters and digits
		albums = append(albums, shown{part.Key, picture})
	}
	out, err := t.CreateNamed("page", "", "albums.html")
	if err != nil {
		return err
	}
	return errors.Join(html.Execute(out, albums), out.Close())
}
