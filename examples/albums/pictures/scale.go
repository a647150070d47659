package pictures

import (
	"image"
	"image/color"
	"image/draw"
)

// Fit is the size of a photo of w by h in a square of side: as large as it can be
// without another shape, and never larger than it was.
func Fit(w, h, side int) (fw, fh int) {
	long := max(w, h)
	if long <= side {
		return w, h
	}
	return max(1, (w*side+long/2)/long), max(1, (h*side+long/2)/long)
}

// Scale makes a photo smaller: each of w by h pixels is the mean of those that it
// stands for.
func Scale(photo image.Image, w, h int) *image.RGBA {
	from := rgba(photo)
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		top, bottom := span(y, h, from.Rect.Dy())
		for x := range w {
			left, right := span(x, w, from.Rect.Dx())
			to.SetRGBA(x, y, mean(from, left, top, right, bottom))
		}
	}
	return to
}

// span are the pixels of n that the i-th of m stands for: at least one.
func span(i, m, n int) (first, end int) {
	first = i * n / m
	return first, max(first+1, (i+1)*n/m)
}

func mean(p *image.RGBA, left, top, right, bottom int) color.RGBA {
	var r, g, b, count int
	for y := top; y < bottom; y++ {
		row := p.Pix[y*p.Stride+4*left : y*p.Stride+4*right]
		for ; len(row) > 0; row = row[4:] {
			r, g, b, count = r+int(row[0]), g+int(row[1]), b+int(row[2]), count+1
		}
	}
	return color.RGBA{uint8(r / count), uint8(g / count), uint8(b / count), 255}
}

// rgba is a picture on white, with its corner at 0,0.
func rgba(photo image.Image) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, photo.Bounds().Dx(), photo.Bounds().Dy()))
	draw.Draw(p, p.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(p, p.Rect, photo, photo.Bounds().Min, draw.Over)
	return p
}
