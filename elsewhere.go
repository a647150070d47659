package deed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
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
	folder, err := openFolder(r.options.Dir, false)
	if err != nil {
		return err
	}
	r.Blobs.AskReading(folder.granted)
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
	folder, err := openFolder(r.options.Dir, false)
	if err != nil {
		return err
	}
	return folder.grant(area)
}

// granted are the places where inputs lie that were given in this folder.
func (f folder) granted() ([]string, error) {
	data, err := os.ReadFile(f.reads())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return strings.Fields(string(data)), nil
}

// grant adds a place. Two who do so at once may both add it.
func (f folder) grant(area string) error {
	known, err := f.granted()
	if err == nil && slices.Contains(known, area) {
		return nil
	}
	var file *os.File
	if err == nil {
		file, err = os.OpenFile(f.reads(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	}
	if err == nil {
		_, err = file.WriteString(area + "\n") // one write: lines do not mix
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("note where inputs lie: %w", err)
	}
	return nil
}
