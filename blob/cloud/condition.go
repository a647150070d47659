package cloud

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azure "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// An object that is read where it lies is read only while it has the ETag that it
// had: S3 gives the same one again when the same content comes back, so to look at
// it beside the read would not be enough. Google has no such condition on an ETag,
// and needs none: it never gives one twice.

func s3IfMatch(as func(any) bool, etag string) bool {
	var in *s3.GetObjectInput
	if !as(&in) {
		return false
	}
	in.IfMatch = &etag
	return true
}

func azureIfMatch(as func(any) bool, etag string) bool {
	var options *azure.DownloadStreamOptions
	if !as(&options) {
		return false
	}
	is := azcore.ETag(etag)
	options.AccessConditions = &azure.AccessConditions{ModifiedAccessConditions: &azure.ModifiedAccessConditions{IfMatch: &is}}
	return true
}
