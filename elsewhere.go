package deed

import (
	"github.com/deedrun/deed/internal/folder"
)

// allowReading tells the blob store where data may be read that lies elsewhere: in
// the places of the options, and in those that were given as inputs in this folder,
// by whoever could read and write all of it.
func (r *Runtime) allowReading() error {
	if err := r.Blobs.AllowReading(r.options.Read...); err != nil {
		return err
	}
	if r.options.Dir == "" {
		return nil
	}
	f, err := folder.Open(r.options.Dir, false)
	if err != nil {
		return err
	}
	r.Blobs.AskReading(f.Granted)
	return nil
}

// grant lets this runtime, and those of its folder, read where an input lies that
// was given here. Who joined a server allows nobody there anything.
func (r *Runtime) grant(area string) error {
	if err := r.Blobs.AllowReading(area); err != nil {
		return err
	}
	if r.options.Dir == "" {
		return nil
	}
	f, err := folder.Open(r.options.Dir, false)
	if err != nil {
		return err
	}
	return f.Grant(area)
}
