package pictures

import (
	"image"
	"math"
)

// Light is how light a picture is to the eye, from 0, black, to 1, white.
func Light(p *image.RGBA) float64 {
	var sum float64
	for i := 0; i < len(p.Pix); i += 4 {
		sum += 0.299*float64(p.Pix[i]) + 0.587*float64(p.Pix[i+1]) + 0.114*float64(p.Pix[i+2])
	}
	return sum / 255 / float64(len(p.Pix)/4)
}

// Lift brightens the dark of a picture more than its lights; black and white stay.
func Lift(p *image.RGBA) {
	const gamma = 0.55
	var curve [256]uint8
	for v := range curve {
		curve[v] = uint8(math.Round(255 * math.Pow(float64(v)/255, gamma)))
	}
	for i, v := range p.Pix {
		if i%4 != 3 { // opaque it is anyway
			p.Pix[i] = curve[v]
		}
	}
}
