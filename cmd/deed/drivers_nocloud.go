//go:build nocloud

package main

import (
	"context"
	"fmt"
	"net/url"

	gcblob "gocloud.dev/blob"

	"github.com/deedrun/deed/blob"
)

// A build without the blob stores of the clouds is half the work. It says why it
// has none.
func init() {
	for _, scheme := range []string{"s3", "gs", "azblob"} {
		blob.Register(scheme, blob.Driver{
			Open: func(context.Context, *url.URL) (*gcblob.Bucket, error) {
				return nil, fmt.Errorf("this deed was built with -tags nocloud, so it has no driver for %s://: build it without", scheme)
			},
			Status: func(error) int { return 0 },
		})
	}
}
