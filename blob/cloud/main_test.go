package cloud_test

import (
	"flag"
	"testing"

	_ "github.com/deedrun/deed/blob/cloud"
	"github.com/deedrun/deed/internal/tmpfs"
)

// TestMain lets more tests be parallel than there are cores: they wait for servers
// and for what is tried again.
func TestMain(m *testing.M) {
	tmpfs.Use()
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	m.Run()
}
