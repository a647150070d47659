package pictures

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker"
)

func TestASmallPictureKeepsItsShapeAndIsNeverLargerThanItsPhoto(t *testing.T) {
	for _, c := range []struct{ w, h, side, fw, fh int }{
		{480, 320, 160, 160, 107},
		{320, 480, 160, 107, 160},
		{300, 300, 160, 160, 160},
		{100, 50, 160, 100, 50},
		{10_000, 1, 160, 160, 1},
		{1, 1, 1, 1, 1},
	} {
		w, h := Fit(c.w, c.h, c.side)
		assert.Equal(t, []int{c.fw, c.fh}, []int{w, h}, "%d by %d", c.w, c.h)
	}
}

func TestAPixelIsTheMeanOfThoseItStandsFor(t *testing.T) {
	photo := image.NewRGBA(image.Rect(10, 10, 14, 12)) // its corner is not at 0,0
	for i := range 8 {
		photo.Set(10+i%4, 10+i/4, color.RGBA{uint8(30 * i), 0, 200, 255})
	}
	small := Scale(photo, 2, 1)
	assert.Equal(t, color.RGBA{75, 0, 200, 255}, small.RGBAAt(0, 0), "of 0, 30, 120 and 150")
	assert.Equal(t, color.RGBA{135, 0, 200, 255}, small.RGBAAt(1, 0), "of 60, 90, 180 and 210")
	glass := image.NewNRGBA(image.Rect(0, 0, 2, 2))
	assert.Equal(t, color.RGBA{255, 255, 255, 255}, Scale(glass, 1, 1).RGBAAt(0, 0), "what is transparent lies on white")
}

func TestLightIsFromBlackToWhiteAndLiftingKeepsBoth(t *testing.T) {
	for shade, want := range map[uint8]float64{0: 0, 255: 1} {
		assert.InDelta(t, want, Light(filled(color.Gray{shade})), 1e-9)
	}
	p := rgba(image.NewGray(image.Rect(0, 0, 3, 1)))
	copy(p.Pix, []uint8{0, 0, 0, 255, 60, 60, 60, 255, 255, 255, 255, 255})
	Lift(p)
	assert.Equal(t, uint8(0), p.Pix[0])
	assert.Greater(t, p.Pix[4], uint8(100))
	assert.Equal(t, []uint8{255, 255, 255, 255}, p.Pix[8:])
}

func TestPicturesLieInRowsEachInTheMiddleOfItsPlace(t *testing.T) {
	red := filled(color.RGBA{255, 0, 0, 255})
	sheet, err := Sheet(3, 2, 10, func(yield func(image.Image, error) bool) {
		for range 3 {
			if !yield(red, nil) {
				return
			}
		}
	})
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 8+2*18, 8+2*18), sheet.Rect)
	isRed := func(x, y int) bool { return sheet.RGBAAt(x, y) == color.RGBA{255, 0, 0, 255} }
	for _, corner := range []image.Point{{8, 8}, {26, 8}, {8, 26}} {
		assert.True(t, isRed(corner.X, corner.Y+3) && isRed(corner.X+9, corner.Y+6), corner)
		assert.False(t, isRed(corner.X, corner.Y+2) || isRed(corner.X, corner.Y+7) || isRed(corner.X+10, corner.Y+4), corner)
	}
	assert.False(t, isRed(30, 30), "the last place is empty")

	_, err = Sheet(1, 1, 5, func(yield func(image.Image, error) bool) { yield(red, nil) })
	require.ErrorContains(t, err, "is 10 by 4, and squares of the sheet are 5")
}

func TestWhatCannotBeAPhotoIsRefusedForGoodAndNamed(t *testing.T) {
	var whole bytes.Buffer
	require.NoError(t, png.Encode(&whole, image.NewGray(image.Rect(0, 0, 9, 9))))
	huge := slices.Clone(whole.Bytes())
	binary.BigEndian.PutUint32(huge[16:], 1<<20)
	binary.BigEndian.PutUint32(huge[20:], 1<<20)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	for says, data := range map[string][]byte{
		"photos is no JPEG and no PNG": []byte("a letter"),
		"photos is damaged":            whole.Bytes()[:whole.Len()-20],
		"1048576 by 1048576 pixels; more than 100000000 are not decoded": huge,
	} {
		require.ErrorContains(t, shrunk(t, data, 10), says)
	}
	require.ErrorContains(t, shrunk(t, whole.Bytes(), 0), "the parameter side is 0: give a number from 1 to 4000")
	require.NoError(t, shrunk(t, whole.Bytes(), 10))
}

// filled is a picture of 10 by 4 pixels.
func filled(c color.Color) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, 10, 4))
	draw.Draw(p, p.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return p
}

// shrunk is what becomes of a file that is to be made small.
func shrunk(t *testing.T, data []byte, side int) error {
	t.Helper()
	source := deed.MustParse(`
deed: v1
name: one
inputs: [photos]
params: {side: 10}
steps:
  shrink: {run: albums/shrink@1, each: {photo: photos}, out: {small: small, light: {json: number}}, params: {side: ` + strconv.Itoa(side) + `}}
outputs: [small, light]
`)
	handlers := worker.NewRegistry()
	Register(handlers)
	_, err := deed.Run(t.Context(), source, handlers, map[string]deed.Input{"photos": deed.Stream(bytes.NewReader(data))})
	return err
}
