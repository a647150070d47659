package cloud_test

import (
	"flag"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var largeBlob = flag.Int64("large", 112, "how many `MiB` the blob has that is written and read in constant memory; at most 256 but on S3, whose server is fast")

// TestABlobOfAnySizeIsWrittenAndReadInTheSameMemory asks the kernel for the most
// that this process ever had in memory, which counts what the drivers hold too.
func TestABlobOfAnySizeIsWrittenAndReadInTheSameMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector needs memory of its own")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(20)) // or what is garbage would count
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			size := *largeBlob << 20
			if name != "S3" {
				size = min(size, 256<<20)
			}
			server := start(t)
			store := open(t, server.URL(server.Bucket(t)))
			forgetPeak(t)
			before := peak(t)
			began := time.Now()
			ref, err := put(t, store, "large", data(size))
			require.NoError(t, err)
			written := time.Since(began)
			require.Equal(t, size, ref.Size)
			require.Equal(t, ref.SHA256, digest(t, store, ref))
			t.Logf("%d MiB: written in %s, read in %s, %d MiB more in memory than before", size>>20,
				written.Round(time.Millisecond), (time.Since(began) - written).Round(time.Millisecond), (peak(t)-before)>>20)
			require.Less(t, peak(t)-before, int64(96<<20), "a blob that was held would not fit")
		})
	}
}

// forgetPeak lets the most that the process had in memory be what it has now.
func forgetPeak(t *testing.T) {
	t.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skipf("the kernel does not forget the most that a process had in memory: %v", err)
	}
}

// peak is the most that the process had in memory, in bytes.
func peak(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	require.True(t, ok)
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	require.NoError(t, err)
	return kib << 10
}
