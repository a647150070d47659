package bench

import (
	"fmt"
	"os"
	"strings"
)

// peakMemory is the most memory that this process ever had resident. It is not
// taken from getrusage, whose figure begins with that of the parent.
func peakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kib int64
	_, text, _ := strings.Cut(string(status), "VmHWM:")
	_, _ = fmt.Sscan(text, &kib) // 0 where there is none
	return kib << 10
}
