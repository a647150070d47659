package cloud_test

import (
	"context"
	"fmt"

	"github.com/deedrun/deed/blob"
	_ "github.com/deedrun/deed/blob/cloud" // so that blob.Open knows s3, gs and azblob
)

// A program that links this package keeps its blobs in a folder of a bucket.
func Example() {
	ctx := context.Background()
	store, err := blob.Open(ctx, "s3://data?region=eu-central-1&prefix=deed/")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	ref, err := store.ImportFile(ctx, "corpus/emma.txt")
	fmt.Println(ref.Key, err)
}
