package pictures

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"iter"
)

const gap = 8 // around every picture

var paper = color.RGBA{244, 241, 234, 255}

// Sheet is n pictures in rows, each in the middle of a square of side. Only the one
// that is drawn is in memory beside it.
func Sheet(n, columns, side int, pictures iter.Seq2[image.Image, error]) (*image.RGBA, error) {
	columns = min(columns, n)
	rows := (n + columns - 1) / columns
	sheet := image.NewRGBA(image.Rect(0, 0, gap+columns*(side+gap), gap+rows*(side+gap)))
	draw.Draw(sheet, sheet.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	i := 0
	for picture, err := range pictures {
		if err != nil {
			return nil, err
		}
		size := picture.Bounds().Size()
		if size.X > side || size.Y > side {
			return nil, fmt.Errorf("picture %d is %d by %d, and squares of the sheet are %d: give it the size that the pictures were made for", i, size.X, size.Y, side)
		}
		corner := image.Pt(gap+i%columns*(side+gap)+(side-size.X)/2, gap+i/columns*(side+gap)+(side-size.Y)/2)
		draw.Draw(sheet, image.Rectangle{corner, corner.Add(size)}, picture, picture.Bounds().Min, draw.Src)
		i++
	}
	return sheet, nil
}
