package cloud_test

import (
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/blob/blobtest"
	"github.com/deedrun/deed/internal/cloudtest"
	"github.com/stretchr/testify/require"
)

// clouds are the servers that these tests are run against.
var clouds = map[string]func(testing.TB) *cloudtest.Server{"S3": cloudtest.S3, "Google": cloudtest.Google, "Azure": cloudtest.Azure}

func TestTheStoresOfCloudsDoWhatEveryStoreDoes(t *testing.T) {
	t.Parallel()
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conform(t, start(t), nil)
		})
	}
}

func TestTheStoresOfCloudsDoSoWhenATenthOfAllRequestsGoesWrong(t *testing.T) {
	t.Parallel()
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, proxy := start(t).Behind(t, nil)
			conform(t, server, proxy)
		})
	}
}

// conform runs the suite of all stores, which damages what lies there past the proxy.
func conform(t *testing.T, server *cloudtest.Server, proxy *cloudtest.Proxy) {
	t.Run("suite", func(t *testing.T) {
		blobtest.Run(t, func(t *testing.T) blobtest.Backend {
			bucket := server.Bucket(t)
			return blobtest.Backend{Store: open(t, server.URL(bucket)), Raw: server.Raw(t, bucket), Races: 10}
		})
	})
	if proxy != nil {
		t.Logf("requests by what went wrong: %v", proxy.Done())
	}
}

func open(t testing.TB, url string) *blob.Store {
	t.Helper()
	store, err := blob.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}
