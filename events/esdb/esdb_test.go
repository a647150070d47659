package esdb_test

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	"github.com/deedrun/deed/events/storetest"
	"github.com/deedrun/deed/internal/esdbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is a double of EventStoreDB that ends with the test.
func start(t testing.TB, o esdbtest.Options) *esdbtest.Server {
	t.Helper()
	s, err := esdbtest.Start(o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

// open is a store over a driver of its own, which ends with the test.
func open(t testing.TB, address string, settings ...string) *events.Store {
	t.Helper()
	for _, s := range settings {
		address += "&" + s
	}
	d, err := esdb.Open(t.Context(), address, esdb.Options{})
	require.NoError(t, err)
	s := events.New(d)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// most is what the suite wants to append at once.
const most = 8 << 20

func backend(t testing.TB) func() *events.Store {
	s := start(t, esdbtest.Options{MaxAppend: most})
	return func() *events.Store { return open(t, s.URL(), fmt.Sprintf("maxAppendSize=%d", most)) }
}

func TestStore(t *testing.T) { storetest.Run(t, backend) }

func BenchmarkStore(b *testing.B) { storetest.Bench(b, backend) }

// realServer is the URL of a server to be tested against.
const realServer = "DEED_TEST_ESDB"

func TestStoreOnARealServer(t *testing.T) {
	address := os.Getenv(realServer)
	if address == "" {
		t.Skipf("not run against a real EventStoreDB: set %s=esdb://… to a server with MaxAppendSize %d or more; docs/eventstoredb.md", realServer, most)
	}
	count := 0
	storetest.Run(t, func(t testing.TB) func() *events.Store {
		count++
		separator := "?"
		if strings.Contains(address, "?") {
			separator = "&"
		}
		own := address + separator + url.Values{
			"streamPrefix":  {fmt.Sprintf("test-%x-%d-", time.Now().UnixNano(), count)},
			"maxAppendSize": {fmt.Sprint(most)},
		}.Encode()
		return func() *events.Store { return open(t, own) }
	})
}
