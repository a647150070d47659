package cloudtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // for Raw
)

// S3 starts versitygw.
func S3(t testing.TB) *Server {
	t.Helper()
	gateway := program(t, "versitygw", "versitygw", "GOBIN=$PWD/bin go install github.com/versity/versitygw/cmd/versitygw@v1.8.0")
	folder := t.TempDir()
	k := kind{
		name: "versitygw", signed: true, ready: accepts,
		env: map[string]string{
			"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "of-a-test", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
		},
		make: func(t testing.TB, _, bucket string) {
			require.NoError(t, os.MkdirAll(filepath.Join(folder, bucket), 0o700)) // a bucket is a folder
		},
		url: s3URL,
		raw: func(t testing.TB, address, bucket string) *gcblob.Bucket {
			b, err := gcblob.OpenBucket(t.Context(), s3URL(address, bucket))
			require.NoError(t, err)
			return b
		},
	}
	env := []string{"ROOT_ACCESS_KEY=" + k.env["AWS_ACCESS_KEY_ID"], "ROOT_SECRET_KEY=" + k.env["AWS_SECRET_ACCESS_KEY"]}
	return start(t, k, env, func(address string) []string {
		return []string{gateway, "--port", address, "--quiet", "posix", folder}
	})
}

func s3URL(address, bucket string) string {
	return "s3://" + bucket + "?endpoint=http://" + address + "&region=us-east-1&use_path_style=true"
}
