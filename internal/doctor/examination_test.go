package doctor_test

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/doctor"
	"github.com/deedrun/deed/internal/gc"
)

// inspected is what a check of an examination found.
func inspected(t *testing.T, all []doctor.Finding, check string) doctor.Finding {
	t.Helper()
	for _, f := range all {
		if f.Check == check {
			return f
		}
	}
	require.Fail(t, "no such check", "%s: %+v", check, all)
	return doctor.Finding{}
}

func TestTheDoctorFindsADiskThatIsNearlyFullAndGarbageGoesByItsAdvice(t *testing.T) {
	t.Parallel()
	o := deed.Options{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}
	r, err := deed.Open(t.Context(), o)
	require.NoError(t, err)
	defer r.Close()
	_, err = r.Blobs.Import(t.Context(), strings.NewReader("what nobody refers to: "+strings.Repeat("x", 9<<20)))
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(filepath.Join(o.Dir, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			long := time.Now().Add(-100 * time.Hour)
			err = os.Chtimes(path, long, long)
		}
		return err
	}))
	// A disk that has room for little more than this folder.
	disk := func(dir string) (free, size int64, err error) {
		used := int64(0)
		err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, _ error) error {
			if info, err := d.Info(); err == nil && !d.IsDir() {
				used += info.Size() << 10 // each byte stands for a KiB
			}
			return nil
		})
		size = 10 << 30
		return size - used, size, err
	}
	examine := func() doctor.Finding {
		all := doctor.Examine(t.Context(), doctor.Examination{Dir: o.Dir, Log: o.Log, Machine: doctor.Machine{Disk: disk}})
		return inspected(t, all, "disk")
	}
	f := examine()
	require.NotEqual(t, doctor.OK, f.Status, "%+v", f)
	require.Contains(t, f.Fix, fmt.Sprintf("`deed gc --delete --data %s`", o.Dir))

	source := deed.MustParse("deed: v1\nname: p\ninputs: [x]\nsteps: {wait: {run: for/ever, each: x}}\n") // without a process all blobs would be garbage
	require.NoError(t, r.Submit(t.Context(), "p", deed.Job{Source: source, Inputs: map[string]deed.Input{"x": deed.Values(1)}}))
	_, err = gc.Collect(t.Context(), r.Archive, gc.Options{Delete: true})
	require.NoError(t, err)
	f = examine()
	require.Equal(t, doctor.OK, f.Status, "%+v", f)
}
