// Package albums tests the definitions of this folder, and holds what they make
// against an independent check.
package albums

import (
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/examples/albums/pictures"
	"github.com/deedrun/deed/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryPhotoIsMadeSmallAndIsOnTheSheetOfItsAlbum(t *testing.T) {
	out := run(t, "process.yaml", "photos", nil)
	said, err := check(t, "photos", out)
	require.NoError(t, err, said)
	require.Contains(t, said, "attic: nothing to show")
	require.Contains(t, said, "market: 3 of 4 photos")
	require.Contains(t, said, "all 11 photos that can be read are where they belong")
	requireAlike(t, "sheet.png", filepath.Join(out, "sheets", "fjord", "sheet.png"))

	t.Run("of another size, in other columns", func(t *testing.T) {
		out := run(t, "process.yaml", "photos", map[string]string{"side": "61", "columns": "2"})
		said, err := check(t, "photos", out, "61", "2")
		require.NoError(t, err, said)
	})
}

func TestAnAlbumThatIsDarkIsBrightenedForItsSheetAlone(t *testing.T) {
	out := run(t, "process.yaml", "photos", nil)
	sheet, small := decoded(t, filepath.Join(out, "sheets", "night", "sheet.png")), decoded(t, filepath.Join(out, "small", "night", "bridge.jpg"))
	onSheet := image.NewRGBA(small.Bounds())
	top := 8 + (160-small.Bounds().Dy())/2
	for y := range small.Bounds().Dy() {
		for x := range small.Bounds().Dx() {
			onSheet.Set(x, y, sheet.At(8+x, top+y))
		}
	}
	require.Greater(t, pictures.Light(onSheet), 1.5*pictures.Light(pictures.Scale(small, small.Bounds().Dx(), small.Bounds().Dy())))
	requireAlike(t, filepath.Join(out, "small", "night", "bridge.jpg"),
		filepath.Join(run(t, "album.yaml", "photos/night", nil), "small", "bridge.jpg"))
}

func TestTooManyAlbumsWithNothingToShowEndTheProcessAndThePhotoIsNamed(t *testing.T) {
	photos := t.TempDir()
	require.NoError(t, os.CopyFS(photos, os.DirFS("photos")))
	require.NoError(t, os.Mkdir(filepath.Join(photos, "cellar"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(photos, "cellar", "notes.jpg"), []byte("no photo"), 0o600))
	r := open(t, pictures.Register)
	submit(t, r, "test", "process.yaml", photos, nil)
	_, err := r.Wait(t.Context(), "test", nil)
	require.ErrorContains(t, err, "its child test-")
	require.Regexp(t, `box\.jpg is damaged|notes\.jpg is no JPEG and no PNG`, err.Error())
}

func TestTheCheckFindsWhatIsWrong(t *testing.T) {
	out := run(t, "process.yaml", "photos", nil)
	for what, spoil := range map[string]func(dir string) error{
		"the sheet is 512 by 176": func(dir string) error {
			return os.Rename(filepath.Join(dir, "sheets", "night", "sheet.png"), filepath.Join(dir, "sheets", "fjord", "sheet.png"))
		},
		"market: place 1 of the sheet has a picture of (160, 107)": func(dir string) error {
			return os.Rename(filepath.Join(dir, "sheets", "night", "sheet.png"), filepath.Join(dir, "sheets", "market", "sheet.png"))
		},
		"fjord: small pictures are": func(dir string) error { return os.Remove(filepath.Join(dir, "small", "fjord", "noon.jpg")) },
		"the page does not show every sheet": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "page"), nil, 0o600)
		},
	} {
		spoiled := filepath.Join(t.TempDir(), "out")
		require.NoError(t, os.CopyFS(spoiled, os.DirFS(out)))
		require.NoError(t, spoil(spoiled))
		said, err := check(t, "photos", spoiled)
		require.Error(t, err, what)
		assert.Contains(t, said, what)
	}
}

func TestThePhotosAreWhatTheGeneratorPaints(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir := t.TempDir()
	said, err := exec.CommandContext(t.Context(), "go", "run", "./generate", dir).CombinedOutput()
	require.NoError(t, err, "%s", said)
	names, bytes := 0, int64(0)
	require.NoError(t, fs.WalkDir(os.DirFS("photos"), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		require.NoError(t, err)
		names, bytes = names+1, bytes+info.Size()
		require.FileExists(t, filepath.Join(dir, name))
		if name != "attic/box.jpg" && name != "market/fruit.jpg" { // those are cut off
			requireAlike(t, filepath.Join("photos", name), filepath.Join(dir, name))
		}
		return nil
	}))
	require.Equal(t, 13, names)
	require.Less(t, bytes, int64(300_000))
}

// open starts a runtime in memory, with room for four tasks at a time.
func open(t *testing.T, register func(*worker.Registry)) *deed.Runtime {
	t.Helper()
	handlers := worker.NewRegistry()
	register(handlers)
	r, err := deed.Open(t.Context(), deed.Options{Handlers: handlers, Workers: 4})
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

func submit(t *testing.T, r *deed.Runtime, id, definition, photos string, params map[string]string) {
	t.Helper()
	source, err := deed.ParseFile(definition)
	require.NoError(t, err)
	job := deed.Job{Source: source, Params: params, Inputs: map[string]deed.Input{"photos": deed.Files(photos)}}
	require.NoError(t, r.Submit(t.Context(), id, job))
}

// run is the folder of the outputs.
func run(t *testing.T, definition, photos string, params map[string]string) string {
	t.Helper()
	r := open(t, pictures.Register)
	submit(t, r, "test", definition, photos, params)
	result, err := r.Wait(t.Context(), "test", nil)
	require.NoError(t, err)
	out := t.TempDir()
	_, err = result.Export(t.Context(), out)
	require.NoError(t, err)
	return out
}

// check is what the independent check says of outputs.
func check(t *testing.T, args ...string) (said string, err error) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("the independent check needs python3")
	}
	output, err := exec.CommandContext(t.Context(), "python3", append([]string{"check.py"}, args...)...).CombinedOutput()
	return string(output), err
}

func decoded(t *testing.T, name string) image.Image {
	t.Helper()
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	picture, _, err := image.Decode(file)
	require.NoError(t, err, name)
	return picture
}

// requireAlike compares two pictures by eye: how exactly JPEG is written and read
// may differ from one version of Go to the next.
func requireAlike(t *testing.T, want, got string) {
	t.Helper()
	a, b := decoded(t, want), decoded(t, got)
	require.Equal(t, a.Bounds(), b.Bounds(), got)
	var differs, n float64
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			for _, d := range []int{int(r1) - int(r2), int(g1) - int(g2), int(b1) - int(b2)} {
				differs, n = differs+float64(max(d, -d))/257, n+1
			}
		}
	}
	require.Less(t, differs/n, 2.0, "%s differs from %s", strings.TrimPrefix(got, os.TempDir()), want)
}
