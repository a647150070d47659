// Package cloud links the blob stores of three clouds, for the import alone:
//
//	s3://bucket         S3, and what speaks its protocol
//	gs://bucket         Google Cloud Storage
//	azblob://container  Azure Blob Storage
//
// Where they are and who asks is said by the parameters of the URL and by the
// environment, as gocloud.dev has it. What this package adds is what a store has
// to know of them that their drivers do not say: with which HTTP status they
// answered, so that what may pass is tried again and the rest is not; and clients
// that repeat the requests for a piece of a large blob more stubbornly than their
// makers have it, since nobody else has that piece any more.
package cloud

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/blob/s3blob"
	"google.golang.org/api/googleapi"

	"github.com/deedrun/deed/blob"
)

func init() {
	blob.Register(s3blob.Scheme, blob.Driver{Open: openS3, Status: s3Status, BeforeWrite: clearUp, IfMatch: s3IfMatch})
	blob.Register(gcsblob.Scheme, blob.Driver{Open: open, Status: googleStatus, BeforeWrite: retryGoogle})
	blob.Register(azureblob.Scheme, blob.Driver{Open: open, Status: azureStatus, IfMatch: azureIfMatch})
}

func open(ctx context.Context, u *url.URL) (*gcblob.Bucket, error) {
	return gcblob.DefaultURLMux().OpenBucketURL(ctx, u)
}

func s3Status(err error) int {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "RequestTimeout" {
		return http.StatusRequestTimeout // which S3 sends as a bad request
	}
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

func googleStatus(err error) int {
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		return answer.Code
	}
	return 0
}

func azureStatus(err error) int {
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}
