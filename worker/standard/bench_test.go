package standard

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// benchBytes is what each handler is given.
const benchBytes = 64 << 20

// accesses are lines that look like those of a web server.
func accesses(b *testing.B, dir string) (name string) {
	b.Helper()
	name = filepath.Join(dir, "access.csv")
	var text bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2))
	for text.Len() < benchBytes {
		fmt.Fprintf(&text, "10.%d.%d.%d,2026-11-%02dT%02d:%02d:%02dZ,/articles/%d,%d,%d\n", random.IntN(8), random.IntN(256), random.IntN(256),
			1+random.IntN(30), random.IntN(24), random.IntN(60), random.IntN(60), random.IntN(5000), 200+random.IntN(5), random.IntN(1<<16))
	}
	require.NoError(b, os.WriteFile(name, text.Bytes(), 0o600))
	return name
}

// BenchmarkBesideUnix takes a handler and the program that does the same over the
// same file, one after the other, and tells how much more processor time the handler
// takes: other work on the machine does not change that.
func BenchmarkBesideUnix(b *testing.B) {
	dir := b.TempDir()
	plain := accesses(b, dir)
	sh := func(b *testing.B, script string) time.Duration {
		b.Helper()
		cmd := exec.CommandContext(b.Context(), "sh", "-euc", script, "sh", plain, dir)
		cmd.Env = append(os.Environ(), "LC_ALL=C", "TMPDIR="+dir)
		output, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", output)
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	sh(b, `gzip -6 < "$1" > "$2/a.gz"; sort "$1" > "$2/sorted"`)
	for _, c := range []struct {
		name, handler, input, params, script string
	}{
		{"split", "deed/split", plain, "size=8MiB", `split -C 8M "$1" "$2/part-"`},
		{"split CSV", "deed/split", plain, "size=8MiB records=csv", `split -C 8M "$1" "$2/part-"`},
		{"count", "deed/count", plain, "", `wc -l "$1"`},
		{"sort, in memory", "deed/sort", plain, "memory=1GiB", `sort --parallel=1 -S 1G -s "$1" > "$2/out"`},
		{"sort, on disk", "deed/sort", plain, "memory=16MiB", `sort --parallel=1 -S 16M -s "$1" > "$2/out"`},
		{"sort by a number", "deed/sort", plain, "memory=1GiB separator=, by=5.number", `sort --parallel=1 -S 1G -s -t, -k5,5n "$1" > "$2/out"`},
		{"sort CSV by two columns", "deed/sort", plain, "memory=1GiB records=csv by=3,5.number", `sort --parallel=1 -S 1G -s -t, -k3,3 -k5,5n "$1" > "$2/out"`},
		{"merge 2", "deed/merge", filepath.Join(dir, "sorted"), "", `sort -m "$2/sorted" "$2/sorted" > "$2/out"`},
		{"partition", "deed/partition", plain, "records=csv by=1 into=64", `sort --parallel=1 -S 64M -s -t, -k1,1 "$1" > "$2/out"`},
		{"gzip", "deed/gzip", plain, "level=6", `gzip -6 < "$1" > "$2/out"`},
		{"gunzip", "deed/gunzip", filepath.Join(dir, "a.gz"), "", `gzip -d < "$2/a.gz" > "$2/out"`},
		{"zstd", "deed/zstd", plain, "level=3", `zstd -q -3 --single-thread < "$1" > "$2/out"`},
	} {
		b.Run(strings.ReplaceAll(c.name, ", ", ","), func(b *testing.B) {
			if program, _, _ := strings.Cut(c.script, " "); !installed(program) {
				b.Skipf("the program %s is not installed", program)
			}
			params := strings.Fields(c.params)
			for i := range params {
				params[i] = strings.ReplaceAll(params[i], ".number", " number")
			}
			parts := []Part{onDisk(b, c.input)}
			if c.handler == "deed/merge" {
				parts = append(parts, parts[0])
			}
			var ours, theirs time.Duration
			for b.Loop() {
				began := used(b)
				run := &toDisk{bench: bench{t: b, parts: parts, params: told(b, c.handler, params...), asked: map[string]bool{}}, into: dir}
				require.NoError(b, Handlers()[c.handler](b.Context(), run))
				ours += used(b) - began
				theirs += sh(b, c.script)
			}
			b.ReportMetric(ours.Seconds()/theirs.Seconds(), "times-as-much")
			b.ReportMetric(float64(b.N)*float64(parts[0].Size)*float64(len(parts))/ours.Seconds()/1e6, "MB/cpu-s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// used is the processor time of this process, that of the collector included.
func used(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func onDisk(b *testing.B, name string) Part {
	b.Helper()
	info, err := os.Stat(name)
	require.NoError(b, err)
	return Part{Name: filepath.Base(name), Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(name) }}
}

// toDisk writes what a handler writes to files, as the programs do.
type toDisk struct {
	bench

	into string
	n    int
}

func (d *toDisk) Create(string, string) (io.WriteCloser, error) {
	d.n++
	return os.Create(filepath.Join(d.into, fmt.Sprint("ours-", d.n)))
}
