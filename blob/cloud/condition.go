package cloud

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azure "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// s3IfMatch makes a read of an object fail that has another ETag by now. To look at
// it beside the read would not be enough: S3 gives the same ETag again when the same
// content comes back. Google has no such condition, and needs none: it never gives
// one twice.
func s3IfMatch(as func(any) bool, etag string) bool {
	var in *s3.GetObjectInput
	if !as(&in) {
		return false
	}
	in.IfMatch = &etag
	return true
}

// azureIfMatch is the same for Azure.
func azureIfMatch(as func(any) bool, etag string) bool {
	var options *azure.DownloadStreamOptions
	if !as(&options) {
		return false
	}
	is := azcore.ETag(etag)
	options.AccessConditions = &azure.AccessConditions{ModifiedAccessConditions: &azure.ModifiedAccessConditions{IfMatch: &is}}
	return true
}
