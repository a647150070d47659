package cloud_test

import (
	"context"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/cloudtest"
	"github.com/stretchr/testify/require"
	gcblob "gocloud.dev/blob"
)

// TestABlobThatIsNotFinishedLeavesNothingToPayForOnS3 has the machine to itself: a
// piece that a busy server takes in only after it was told to drop all of them stays.
func TestABlobThatIsNotFinishedLeavesNothingToPayForOnS3(t *testing.T) {
	server := cloudtest.S3(t)
	bucket := server.Bucket(t)
	store, raw := open(t, server.URL(bucket)), server.Raw(t, bucket)
	begin := func(ctx context.Context, key string) *blob.Writer {
		w, err := store.Create(ctx, key)
		require.NoError(t, err)
		t.Cleanup(w.Abort)
		_, err = io.Copy(w, data(40<<20))
		require.NoError(t, err)
		return w
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancelled, aborted := begin(ctx, "cancelled"), begin(t.Context(), "aborted")
	require.Equal(t, []string{"aborted", "cancelled"}, unfinished(t, raw, bucket))
	cancel()
	require.ErrorIs(t, cancelled.Close(), context.Canceled)
	aborted.Abort()
	require.Empty(t, unfinished(t, raw, bucket))
}

// unfinished lists the keys of the uploads that are under way.
func unfinished(t *testing.T, raw *gcblob.Bucket, bucket string) []string {
	t.Helper()
	var client *s3.Client
	require.True(t, raw.As(&client))
	out, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
	require.NoError(t, err)
	var keys []string
	for _, u := range out.Uploads {
		keys = append(keys, *u.Key)
	}
	return keys
}
