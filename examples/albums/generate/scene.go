package main

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// hills are ridges one behind the other, below a sun and above water.
func hills(random *rand.Rand, p *image.RGBA) {
	width, height := float64(p.Rect.Dx()), float64(p.Rect.Dy())
	warm, sunX := random.Float64(), width*(0.2+0.6*random.Float64())
	sunY := height * (0.15 + 0.2*random.Float64())
	type ridge struct{ top, rise, wave, phase float64 }
	var ridges []ridge
	for i := range 4 {
		ridges = append(ridges, ridge{
			top: height * (0.4 + 0.11*float64(i)), rise: height * (0.05 + 0.08*random.Float64()),
			wave: (2 + 3*random.Float64()) / width, phase: 7 * random.Float64(),
		})
	}
	each(p, func(x, y float64) color.RGBA {
		if y > 0.85*height { // the water, with the light of the sun on it
			glitter := 40 * math.Exp(-math.Abs(x-sunX)/40) * (1 + math.Sin(y*1.3+x/9))
			return rgb(50+glitter+60*warm, 95+glitter, 140+glitter/2)
		}
		for i := len(ridges) - 1; i >= 0; i-- {
			r := ridges[i]
			if y > r.top-r.rise*(1+math.Sin(x*r.wave*math.Pi+r.phase)+0.4*math.Sin(3*x*r.wave*math.Pi+2*r.phase)) {
				far := float64(len(ridges) - 1 - i)
				return rgb(45+32*far+25*warm, 80+28*far, 70+38*far)
			}
		}
		if math.Hypot(x-sunX, y-sunY) < height/14 {
			return rgb(255, 244, 214)
		}
		low := y / height
		return rgb(130+120*warm*low+30*low, 175+40*low, 225-50*warm*low)
	})
}

// stalls are the awnings of a market, and crates full of fruit: flat colours.
func stalls(random *rand.Rand, p *image.RGBA) {
	width, height := float64(p.Rect.Dx()), float64(p.Rect.Dy())
	var goods [12]color.RGBA
	for i := range goods {
		goods[i] = rgb(120+130*random.Float64(), 60+170*random.Float64(), 40+120*random.Float64())
	}
	awning, stripe := goods[0], width/(8+math.Floor(5*random.Float64()))
	each(p, func(x, y float64) color.RGBA {
		scallop := height * (0.3 + 0.03*math.Abs(math.Sin(math.Pi*x/stripe)))
		switch {
		case y < height*0.08:
			return rgb(168, 200, 222)
		case y < scallop && int(x/stripe)%2 == 0:
			return awning
		case y < scallop:
			return rgb(246, 240, 228)
		case y < height*0.45:
			return rgb(88, 66, 52)
		}
		column, row := math.Floor(4*x/width), math.Floor(3*(y-height*0.45)/(height*0.55))
		inX, inY := 4*x/width-column, 3*(y-height*0.45)/(height*0.55)-row
		if inX < 0.05 || inX > 0.95 || inY < 0.1 {
			return rgb(150, 112, 70)
		}
		if math.Hypot(math.Mod(inX*5, 1)-0.5, math.Mod(inY*4, 1)-0.5) < 0.45 {
			return goods[int(4*row+column)]
		}
		return rgb(70, 52, 40)
	})
}

// stars are a skyline at night: most of it is dark.
func stars(random *rand.Rand, p *image.RGBA) {
	width, height := float64(p.Rect.Dx()), float64(p.Rect.Dy())
	moonX, moonY := width*(0.2+0.6*random.Float64()), height*(0.12+0.12*random.Float64())
	var roofs [16]float64
	for i := range roofs {
		roofs[i] = height * (0.45 + 0.35*random.Float64())
	}
	var lit [4096]bool
	for i := range lit {
		lit[i] = random.Float64() < 0.3
	}
	each(p, func(x, y float64) color.RGBA {
		house := int(16 * x / width)
		if y > roofs[house] {
			window := int(y/12)*64 + int(x/9)
			if lit[window%len(lit)] && math.Mod(x, 9) > 4 && math.Mod(y, 12) > 6 {
				return rgb(235, 190, 95)
			}
			return rgb(16+float64(house%3)*5, 17, 30)
		}
		if math.Hypot(x-moonX, y-moonY) < height/18 {
			return rgb(232, 232, 210)
		}
		glow := 70 * math.Exp(-math.Hypot(x-moonX, y-moonY)/90)
		return rgb(12+glow, 16+glow+20*y/height, 44+glow+40*y/height)
	})
}

func each(p *image.RGBA, at func(x, y float64) color.RGBA) {
	for y := range p.Rect.Dy() {
		for x := range p.Rect.Dx() {
			p.SetRGBA(x, y, at(float64(x), float64(y)))
		}
	}
}

func rgb(r, g, b float64) color.RGBA {
	part := func(v float64) uint8 { return uint8(max(0, min(255, v))) }
	return color.RGBA{part(r), part(g), part(b), 255}
}
