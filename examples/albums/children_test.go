package albums

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/examples/albums/pictures"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/worker"
)

func TestOneAlbumIsAtItsLastStepWhileAnotherIsAtItsFirst(t *testing.T) {
	night, fjord := make(chan struct{}), make(chan struct{})
	r := open(t, gated(map[string]<-chan struct{}{"night/albums/shrink@1": night, "fjord/albums/sheet@1": fjord}))
	defer func() { // whatever the test comes to, its handlers do not wait for ever
		for _, gate := range []chan struct{}{night, fjord} {
			select {
			case <-gate:
			default:
				close(gate)
			}
		}
	}()
	photos := t.TempDir()
	for _, album := range []string{"fjord", "night"} {
		require.NoError(t, os.CopyFS(filepath.Join(photos, album), os.DirFS(filepath.Join("photos", album))))
	}
	submit(t, r, "test", "process.yaml", photos, nil)

	// The histories of the two children say where they stand.
	at := func(album, step string) bool {
		for _, s := range children(t, r, "test")[album].Steps() {
			if s.Address == step {
				return s.Phase == "running" && s.Confirmed == 0
			}
		}
		return false
	}
	require.Eventually(t, func() bool { return at("fjord", "sheet") && at("night", "shrink") }, 30*time.Second, 10*time.Millisecond)

	// One goes on to its end, and the other is still where it was.
	close(fjord)
	require.Eventually(t, func() bool { return children(t, r, "test")["fjord"].Status == process.Completed }, 30*time.Second, 10*time.Millisecond)
	require.True(t, at("night", "shrink"))
	close(night)
	_, err := r.Wait(t.Context(), "test", nil)
	require.NoError(t, err)
}

func TestOnlyAPhotoThatChangedIsDecodedAgain(t *testing.T) {
	photos := t.TempDir()
	require.NoError(t, os.CopyFS(photos, os.DirFS("photos")))
	r := open(t, pictures.Register)
	executed := func(id string) map[string]int {
		submit(t, r, id, "process.yaml", photos, nil)
		_, err := r.Wait(t.Context(), id, nil)
		require.NoError(t, err)
		tasks := map[string]int{}
		for album, state := range children(t, r, id) {
			for _, step := range state.Steps() {
				if n := step.Confirmed - step.Reused; n > 0 {
					tasks[album+" "+step.Address] = n
				}
			}
		}
		return tasks
	}
	require.Equal(t, map[string]int{
		"fjord shrink": 5, "fjord sheet": 1, "market shrink": 3, "market sheet": 1, "night shrink": 3, "night lift": 3, "night sheet": 1,
	}, executed("first"))
	require.Empty(t, executed("same"))

	changed, err := os.ReadFile(filepath.Join("photos", "fjord", "noon.jpg"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(photos, "night", "bridge.jpg"), changed, 0o600))
	require.Equal(t, map[string]int{"night shrink": 1, "night sheet": 1}, executed("changed"),
		"with it the album is no longer dark on average")
}

// children are the albums of a process, by the folder that each reads.
func children(t *testing.T, r *deed.Runtime, id string) map[string]process.State {
	t.Helper()
	ids, err := orchestrator.IDs(t.Context(), r.Events, id+"-")
	require.NoError(t, err)
	albums := map[string]process.State{}
	for _, id := range ids {
		for state, err := range r.Follow(t.Context(), id) {
			require.NoError(t, err)
			photos, _ := state.Data("photos")
			albums[photos.Parts[0].Key] = state
			break
		}
	}
	return albums
}

// gated offers handlers by the names of those of this example: each writes what its
// step declares, once its gate, by album and handler, is open.
func gated(gates map[string]<-chan struct{}) func(*worker.Registry) {
	writes := map[string][]string{"albums/shrink@1": {"small"}, "albums/lift@1": {"bright"}, "albums/sheet@1": {"sheet"}, "albums/page@1": {"page"}}
	return func(reg *worker.Registry) {
		for name, outputs := range writes {
			worker.Handle(reg, name, func(ctx context.Context, t *worker.Task) error {
				album, err := albumOf(t)
				if err != nil {
					return err
				}
				if gate, gated := gates[album+"/"+name]; gated {
					select {
					case <-gate:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				if name == "albums/shrink@1" {
					if err := t.Emit("light", 0.5); err != nil {
						return err
					}
				}
				return t.EmitKeyed(outputs[0], album, "a picture")
			})
		}
	}
}

// albumOf is the key of the element, or of the first picture that a sheet gets.
func albumOf(t *worker.Task) (string, error) {
	if t.Key() != "" || t.Address() != "sheet" {
		return t.Key(), nil
	}
	for part, err := range t.Parts("small") {
		return part.Key, err
	}
	return "", nil
}
