package pictures

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"iter"
	"path"
	"strings"

	"github.com/deedrun/deed/worker"
)

const (
	maxPixels = 100_000_000
	maxBytes  = 256 << 20
	maxSheet  = 4_000 // pictures
	maxSide   = 4_000
)

// Register offers the handlers of this package. Their version is part of what results
// are known by when they are used again: raise it with every change of what they write.
func Register(reg *worker.Registry) {
	worker.Handle(reg, "albums/shrink@1", shrink)
	worker.Handle(reg, "albums/lift@1", lift)
	worker.Handle(reg, "albums/sheet@1", sheet)
	worker.Handle(reg, "albums/page@1", page)
}

// shrink writes `photo` to `small`, and to `light` how light it is.
func shrink(_ context.Context, t *worker.Task) error {
	side, err := number(t, "side", maxSide)
	if err != nil {
		return err
	}
	part, photo, err := only(t, "photo")
	if err != nil {
		return err
	}
	w, h := Fit(photo.Bounds().Dx(), photo.Bounds().Dy(), side)
	small := Scale(photo, w, h)
	if err := t.Emit("light", Light(small)); err != nil {
		return err
	}
	return writeJPEG(t, "small", t.Key(), strings.TrimSuffix(part.Name, path.Ext(part.Name))+".jpg", small)
}

// lift writes `photo` to `bright`, brighter.
func lift(_ context.Context, t *worker.Task) error {
	part, photo, err := only(t, "photo")
	if err != nil {
		return err
	}
	bright := rgba(photo)
	Lift(bright)
	return writeJPEG(t, "bright", t.Key(), part.Name, bright)
}

// sheet puts the pictures of an album on one `sheet`: those of `bright`, where the album
// was brightened, else those of `small`.
func sheet(_ context.Context, t *worker.Task) error {
	side, err := number(t, "side", maxSide)
	if err != nil {
		return err
	}
	columns, err := number(t, "columns", 100)
	if err != nil {
		return err
	}
	var parts []worker.Part
	for _, name := range []string{"bright", "small"} {
		if parts, err = list(t, name); err != nil {
			return err
		}
		if len(parts) > 0 {
			break
		}
	}
	if len(parts) == 0 || len(parts) > maxSheet {
		return worker.Permanent(fmt.Errorf("a sheet has from 1 to %d pictures, and the album has %d", maxSheet, len(parts)))
	}
	drawn, err := Sheet(len(parts), columns, side, decoded(parts))
	if err != nil {
		return err
	}
	out, err := t.CreateNamed("sheet", parts[0].Key, "sheet.png")
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(out, drawn), out.Close())
}

func decoded(parts []worker.Part) iter.Seq2[image.Image, error] {
	return func(yield func(image.Image, error) bool) {
		for _, p := range parts {
			if picture, err := decode(p); !yield(picture, err) || err != nil {
				return
			}
		}
	}
}

// only is the picture of an input that has one part.
func only(t *worker.Task, local string) (worker.Part, image.Image, error) {
	parts, err := list(t, local)
	if err != nil {
		return worker.Part{}, nil, err
	}
	if len(parts) != 1 {
		return worker.Part{}, nil, worker.Permanent(fmt.Errorf("the input %q has %d parts; give it one, with each", local, len(parts)))
	}
	picture, err := decode(parts[0])
	return parts[0], picture, err
}

func list(t *worker.Task, local string) ([]worker.Part, error) {
	var parts []worker.Part
	for p, err := range t.Parts(local) {
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// decode reads a picture. One that is damaged, or none at all, does not become better
// by another attempt.
func decode(p worker.Part) (image.Image, error) {
	if p.Size > maxBytes {
		return nil, worker.Permanent(fmt.Errorf("%s has %d bytes; more than %d are not decoded", p.Name, p.Size, maxBytes))
	}
	data, err := read(p)
	if err != nil {
		return nil, err
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, worker.Permanent(fmt.Errorf("%s is no JPEG and no PNG: %w", p.Name, err))
	}
	if size.Width < 1 || size.Height < 1 || size.Width > maxPixels/size.Height {
		return nil, worker.Permanent(fmt.Errorf("%s has %d by %d pixels; more than %d are not decoded", p.Name, size.Width, size.Height, maxPixels))
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, worker.Permanent(fmt.Errorf("%s is damaged: %w", p.Name, err))
	}
	return picture, nil
}

func read(p worker.Part) ([]byte, error) {
	in, err := p.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(in)
	return data, errors.Join(err, in.Close())
}

func writeJPEG(t *worker.Task, local, key, name string, picture image.Image) error {
	out, err := t.CreateNamed(local, key, name)
	if err != nil {
		return err
	}
	return errors.Join(jpeg.Encode(out, picture, &jpeg.Options{Quality: 85}), out.Close())
}

// number is a parameter from 1 to most.
func number(t *worker.Task, name string, most int) (int, error) {
	var n int
	if err := t.Param(name, &n); err != nil {
		return 0, worker.Permanent(err)
	}
	if n < 1 || n > most {
		return 0, worker.Permanent(fmt.Errorf("the parameter %s is %d: give a number from 1 to %d", name, n, most))
	}
	return n, nil
}
