package cloudtest

import (
	"os"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"
)

// The account that every Azurite has; it is no secret.
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

var azurite shared

// Azure starts Azurite, unless a parallel test has.
func Azure(t testing.TB) *Server {
	t.Helper()
	serves := program(t, "azurite-blob", "azurite/node_modules/.bin/azurite-blob", "npm install --prefix bin/azurite azurite@3.37.0")
	k := kind{
		name: "Azurite", ready: accepts,
		env: map[string]string{"AZURE_STORAGE_ACCOUNT": azuriteAccount, "AZURE_STORAGE_KEY": azuriteKey},
		make: func(t testing.TB, address, bucket string) {
			_, err := azureContainer(t, address, bucket).Create(t.Context(), nil)
			require.NoError(t, err)
		},
		url: func(address, bucket string) string {
			return "azblob://" + bucket + "?protocol=http&domain=" + address + "&localemu=true"
		},
		raw: func(t testing.TB, address, bucket string) *gcblob.Bucket {
			b, err := azureblob.OpenBucket(t.Context(), azureContainer(t, address, bucket), nil)
			require.NoError(t, err)
			return b
		},
	}
	return azurite.use(t, func() (*Server, func()) {
		folder, err := os.MkdirTemp("", "azurite-") //nolint:usetesting // it may be used by another test longer than by this one
		require.NoError(t, err)
		s, stop := launch(t, k, nil, func(address string) []string {
			host, port, _ := strings.Cut(address, ":")
			return []string{
				serves, "--blobHost", host, "--blobPort", port, "--location", folder, "--silent", "--disableTelemetry", "--skipApiVersionCheck",
			}
		})
		return s, func() { stop(); _ = os.RemoveAll(folder) }
	})
}

func azureContainer(t testing.TB, address, bucket string) *container.Client {
	t.Helper()
	key, err := container.NewSharedKeyCredential(azuriteAccount, azuriteKey)
	require.NoError(t, err)
	client, err := container.NewClientWithSharedKeyCredential("http://"+address+"/"+azuriteAccount+"/"+bucket, key, nil)
	require.NoError(t, err)
	return client
}
