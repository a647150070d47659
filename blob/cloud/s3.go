package cloud

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	gcblob "gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

const (
	s3Attempts = 6 // of a request, within some ten seconds
	s3Backoff  = 5 * time.Second
	s3Answer   = time.Minute // from the end of a request to the beginning of the answer
)

// openS3 is the driver's own way, with a client that does not give up so soon:
// each piece of a large blob is a request that only the client can repeat. Who
// says AWS_MAX_ATTEMPTS gets that.
func openS3(ctx context.Context, u *url.URL) (*gcblob.Bucket, error) {
	bucket, err := open(ctx, u)
	if err != nil {
		return nil, err
	}
	var client *s3.Client
	if !bucket.As(&client) || client.Options().RetryMaxAttempts != 0 {
		return bucket, nil
	}
	options := client.Options()
	return s3blob.OpenBucket(ctx, s3.New(options, patient), u.Host, &s3blob.Options{
		EncryptionType:             encryption(u.Query().Get("ssetype")),
		KMSEncryptionID:            u.Query().Get("kmskeyid"),
		RequestChecksumCalculation: options.RequestChecksumCalculation,
	})
}

func patient(o *s3.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = s3Attempts
		o.MaxBackoff = s3Backoff
		o.RateLimiter = ratelimit.None
	})
	if c, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
		o.HTTPClient = c.WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = s3Answer })
	}
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
