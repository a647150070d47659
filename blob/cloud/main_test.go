package cloud_test

import (
	"flag"
	"testing"

	_ "github.com/deedrun/deed/blob/cloud"
)

// TestMain lets more tests be parallel than there are cores: they wait for servers
// and for what is tried again.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	m.Run()
}
