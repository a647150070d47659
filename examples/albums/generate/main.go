// Command generate paints photos for this example, so that nobody's rights and nobody's
// face are in them. The same seed paints the same ones.
//
//	go run ./examples/albums/generate examples/albums/photos
package main

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
)

func main() {
	seed := flag.Uint64("seed", 7, "of all that is random")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("generate: name the folder to write to")
	}
	if err := write(flag.Arg(0), rand.New(rand.NewPCG(*seed, 1))); err != nil {
		log.Fatal(err)
	}
}

// photo is what is painted, and how it is kept.
type photo struct {
	name          string
	width, height int
	paint         func(*rand.Rand, *image.RGBA)
	cut           bool // the file ends in the middle, as after a broken transfer
}

var photos = []photo{
	{name: "attic/box.jpg", width: 320, height: 240, paint: stalls, cut: true},
	{name: "fjord/dawn.jpg", width: 480, height: 320, paint: hills},
	{name: "fjord/ferry.jpg", width: 480, height: 320, paint: hills},
	{name: "fjord/noon.jpg", width: 320, height: 480, paint: hills},
	{name: "fjord/pass.jpg", width: 640, height: 240, paint: hills},
	{name: "fjord/shore.jpg", width: 480, height: 320, paint: hills},
	{name: "market/cheese.png", width: 300, height: 300, paint: stalls},
	{name: "market/fish.png", width: 400, height: 300, paint: stalls},
	{name: "market/fruit.jpg", width: 400, height: 300, paint: stalls, cut: true},
	{name: "market/tea.png", width: 300, height: 400, paint: stalls},
	{name: "night/bridge.jpg", width: 480, height: 320, paint: stars},
	{name: "night/harbour.jpg", width: 480, height: 320, paint: stars},
	{name: "night/tower.jpg", width: 320, height: 480, paint: stars},
}

func write(dir string, random *rand.Rand) error {
	for _, p := range photos {
		picture := image.NewRGBA(image.Rect(0, 0, p.width, p.height))
		p.paint(random, picture)
		data, err := encode(p, picture)
		if err != nil {
			return fmt.Errorf("encode %s: %w", p.name, err)
		}
		path := filepath.Join(dir, filepath.FromSlash(p.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func encode(p photo, picture image.Image) ([]byte, error) {
	var data bytes.Buffer
	var err error
	if filepath.Ext(p.name) == ".png" {
		err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&data, picture)
	} else {
		err = jpeg.Encode(&data, picture, &jpeg.Options{Quality: 82})
	}
	if p.cut {
		data.Truncate(data.Len() / 2)
	}
	return data.Bytes(), err
}
