package bench

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// peakMemory is the most memory that this process ever had resident. It is not
// taken from getrusage, whose figure begins with that of the parent.
func peakMemory() int64 { return memory("VmHWM:") }

// residentMemory is the memory that this process has resident now.
func residentMemory() int64 { return memory("VmRSS:") }

// memory is what the system says of this process under a name.
func memory(name string) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kib int64
	_, text, _ := strings.Cut(string(status), name)
	_, _ = fmt.Sscan(text, &kib) // 0 where there is none
	return kib << 10
}

// forgetPeak makes peakMemory that from now on, if the kernel lets it. Garbage of
// what was before does not count either.
func forgetPeak() {
	debug.FreeOSMemory()
	const forget = "5"                                           // see proc(5), clear_refs
	_ = os.WriteFile("/proc/self/clear_refs", []byte(forget), 0) // else the peak is higher, never lower
}
