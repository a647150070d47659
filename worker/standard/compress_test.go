package standard

import (
	"bytes"
	stdgzip "compress/gzip"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

var compressions = map[string]struct{ compress, expand, ending, program string }{
	"gzip": {"deed/gzip", "deed/gunzip", ".gz", "gzip"},
	"zstd": {"deed/zstd", "deed/unzstd", ".zst", "zstd"},
}

func TestWhatIsCompressedExpandsToWhatItWas(t *testing.T) {
	parts := []Part{keyed("k", "a.csv", shuffled(50_000)), keyed("k", "", ""), file("b", "x")}
	for name, c := range compressions {
		t.Run(name, func(t *testing.T) {
			small := done(t, c.compress, parts)
			require.Equal(t, "a.csv"+c.ending, small[0].name)
			require.Empty(t, small[1].name)
			require.Equal(t, "k", small[0].key)
			require.Less(t, len(small[0].text), len(shuffled(50_000))/2)
			require.Equal(t, small, done(t, c.compress, parts), "the same bytes give the same bytes")

			var again []Part
			for _, w := range small {
				again = append(again, keyed(w.key, w.name, w.text))
			}
			large := done(t, c.expand, again)
			require.Equal(t, "a.csv", large[0].name)
			require.Equal(t, []string{shuffled(50_000), "", "x"}, texts(large))
			for _, level := range []string{"1", "9"} {
				require.NotEmpty(t, one(t, c.compress, parts[:1], "level="+level))
			}
		})
	}
}

func TestOtherProgramsReadWhatIsCompressedAndTheOtherWayRound(t *testing.T) {
	for name, c := range compressions {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(c.program); err != nil {
				t.Skipf("the program %s is not installed", c.program)
			}
			through := func(text string, args ...string) string {
				cmd := exec.CommandContext(t.Context(), c.program, args...)
				cmd.Stdin = strings.NewReader(text)
				out, err := cmd.Output()
				require.NoError(t, err)
				return string(out)
			}
			text := shuffled(10_000)
			require.Equal(t, text, through(one(t, c.compress, []Part{file("a", text)}), "-dc"))
			twice := through(text, "-c") + through(text, "-c")
			require.Equal(t, text+text, one(t, c.expand, []Part{file("a", twice)}), "files that were put together expand to all that they were")
		})
	}
}

func TestNamesLoseTheEndingThatTheyHave(t *testing.T) {
	gz, zst := removing(".gz", ".tgz"), removing(".zst", ".tzst")
	for name, want := range map[string]string{"a.csv.gz": "a.csv", "a.tgz": "a.tar", "a": "a", ".gz": ".gz", "": "", "a.zst": "a.zst"} {
		require.Equal(t, want, gz(name))
	}
	require.Equal(t, "a.tar", zst("a.tzst"))
	require.Equal(t, "a", zst("a.zst"))
}

func TestWhatDoesNotExpandIsNamed(t *testing.T) {
	for name, c := range compressions {
		t.Run(name, func(t *testing.T) {
			whole := one(t, c.compress, []Part{file("a", shuffled(50_000))})
			at := func(text string) string { return refused(t, c.expand, []Part{keyed("in", "a"+c.ending, text)}) }
			require.Contains(t, at("plain text, and more of it"), "in/a"+c.ending+": it is no "+name+": ")
			require.Equal(t, "in/a"+c.ending+": it ends in the middle of "+name, at(whole[:len(whole)/2]))
			require.Equal(t, "in/a"+c.ending+": it ends in the middle of "+name, at(whole[:len(whole)-1]))
			require.Contains(t, at(whole+"and more than a header"), "in/a"+c.ending+": it is no "+name+": ")
			damaged := []byte(whole)
			damaged[len(damaged)/2] ^= 0x55
			require.Contains(t, at(string(damaged)), "in/a"+c.ending+": it is no "+name+": ")
		})
	}
	require.Equal(t, "a: it ends in the middle of gzip", refused(t, "deed/gunzip", []Part{file("a", "")}))
	require.Empty(t, one(t, "deed/unzstd", []Part{file("a", "")}), "nothing is a stream of no frames")
}

func TestASmallFileThatStandsForALargeOneIsRefused(t *testing.T) {
	large := strings.Repeat("\x00", 10<<20)
	for _, c := range compressions {
		small := one(t, c.compress, []Part{file("a", large)})
		require.Less(t, len(small), 100<<10)
		b, err := do(t, c.expand, []Part{file("a", small)}, "most=1MiB")
		require.EqualError(t, err, "a: it expands to more than 1048576 bytes: raise the parameter most, if it is meant to")
		require.LessOrEqual(t, len(b.written[0].text), 1<<20)
		require.Equal(t, large, one(t, c.expand, []Part{file("a", small)}, "most=10MiB"), "as much as is allowed")
	}
}

func TestAStreamThatRefersFurtherBackThanThereIsMemoryForIsRefused(t *testing.T) {
	var frame bytes.Buffer
	w, err := zstd.NewWriter(&frame, zstd.WithWindowSize(256<<20), zstd.WithSingleSegment(false), zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	_, err = io.Copy(w, io.LimitReader(zeros{}, 1<<20))
	require.NoError(t, err)
	require.NoError(t, w.Flush()) // so that the frame says its window
	require.NoError(t, w.Close())
	require.Contains(t, refused(t, "deed/unzstd", []Part{file("a", frame.String())}), "a: it is no zstd: ")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzExpand(f *testing.F) {
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"))
	var b bytes.Buffer
	w := stdgzip.NewWriter(&b)
	_, _ = w.Write([]byte("hello, hello, hello"))
	_ = w.Close()
	f.Add(b.Bytes())
	f.Add([]byte("\x28\xb5\x2f\xfd\x04\x00\x09\x00\x00a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, c := range compressions {
			b, err := do(t, c.expand, []Part{file("a", string(data))}, "most=64KiB")
			var bad *BadInputError
			if err != nil {
				require.ErrorAs(t, err, &bad)
			}
			require.LessOrEqual(t, len(b.written[0].text), 64<<10)
		}
	})
}
