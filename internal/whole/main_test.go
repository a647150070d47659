package whole_test

import (
	"flag"
	"runtime"
	"strconv"
	"testing"
)

// TestMain lets more tests be parallel than there are cores, unless -parallel says
// how many: they wait for servers, leases and what is tried again.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	m.Run()
}
