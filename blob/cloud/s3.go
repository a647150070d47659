package cloud

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"

	"github.com/deedrun/deed/blob"
)

const (
	s3Attempts = 6 // of a request, within some ten seconds
	s3Backoff  = 5 * time.Second
	s3Answer   = time.Minute // from the end of a request to the beginning of the answer
	s3ClearUp  = 10 * time.Second
)

// s3Mux adds what every URL of a bucket may say, such as a prefix.
var s3Mux gcblob.URLMux

func init() { s3Mux.RegisterBucket(s3blob.Scheme, s3Opener{}) }

func openS3(ctx context.Context, u *url.URL) (*gcblob.Bucket, error) {
	return s3Mux.OpenBucketURL(ctx, u)
}

// s3Opener is the driver's own way, with a client that does not give up so soon:
// each piece of a large blob is a request that only the client can repeat.
type s3Opener struct{}

func (s3Opener) OpenBucketURL(ctx context.Context, u *url.URL) (*gcblob.Bucket, error) {
	bucket, err := (&s3blob.URLOpener{}).OpenBucketURL(ctx, u)
	if err != nil {
		return nil, err
	}
	var client *s3.Client
	if !bucket.As(&client) {
		return bucket, nil
	}
	options := client.Options()
	return s3blob.OpenBucket(ctx, s3.New(options, patient), u.Host, &s3blob.Options{
		EncryptionType:             encryption(u.Query().Get("ssetype")),
		KMSEncryptionID:            u.Query().Get("kmskeyid"),
		RequestChecksumCalculation: options.RequestChecksumCalculation,
	})
}

// patient changes a client. Who says AWS_MAX_ATTEMPTS gets that.
func patient(o *s3.Options) {
	o.DisableLogOutputChecksumValidationSkipped = true // readers verify a SHA-256 of their own
	if o.RetryMaxAttempts == 0 {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = s3Attempts
			o.MaxBackoff = s3Backoff
			o.RateLimiter = ratelimit.None
			o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(cutOff))
		})
	}
	if c, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
		o.HTTPClient = c.WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = s3Answer })
	}
}

// cutOff is true of an answer that broke off, which the client would not ask for again.
func cutOff(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// clearUp makes the client tell S3 that a blob will not be finished, also if that
// is because the write was cancelled; else its pieces would stay, and be paid for.
func clearUp(b *gcblob.Bucket, as func(any) bool) error {
	var client *s3.Client
	var uploads *transfermanager.Client
	if b.As(&client) && as(&uploads) {
		*uploads = *transfermanager.New(client, func(o *transfermanager.Options) {
			o.PartSizeBytes, o.Concurrency = blob.PieceBytes, blob.PiecesAtOnce
			o.FailTimeout = s3ClearUp
		})
	}
	return nil
}

// encryption is what the driver takes the parameter for, which it has checked.
func encryption(ssetype string) types.ServerSideEncryption {
	for _, known := range types.ServerSideEncryption("").Values() {
		if strings.EqualFold(string(known), ssetype) {
			return known
		}
	}
	return ""
}
