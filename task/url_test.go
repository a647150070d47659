package task

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAURLOfAnObjectElsewhereSaysWhereItIsAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"s3://bucket/logs/2026/a.csv",
		"s3://bucket/a%20b/%25.csv?endpoint=http://127.0.0.1:9100&region=us-east-1&use_path_style=true",
		"gs://bucket/x", "azblob://container/x//y", "file:///srv/data/a.csv",
	} {
		require.NoError(t, CheckURL(good), good)
	}
	for bad, why := range map[string]string{
		"":                                      "no scheme",
		"/etc/passwd":                           "no scheme",
		"S3://bucket/a":                         "no scheme",
		"s3://key:secret@bucket/a":              "names a user",
		"s3://bucket/a?access_key=k":            `parameter "access_key"`,
		"s3://bucket/a?endpoint=http://u:p@h":   "parameter endpoint",
		"s3://bucket/a?endpoint=http://u%40h":   "parameter endpoint",
		"s3://bucket/../other/a":                `segment ".."`,
		"file:///srv/%2e%2e/etc/passwd":         `segment "%2e%2e"`,
		"file:///srv/..%2Fetc/passwd":           "is not allowed",
		"s3://bucket/a\nb":                      "percent-encoded",
		"s3://bucket/a%0ab":                     "control characters",
		"s3://bucket/a%00":                      "control characters",
		"s3://bucket/a%2":                       "percent sign",
		"s3://bucket/a#b":                       "percent-encoded",
		"s3://bucket/ü":                         "percent-encoded",
		"s3://b/" + strings.Repeat("a", maxURL): "at most",
	} {
		require.ErrorContains(t, CheckURL(bad), why, bad)
	}
	require.NotContains(t, CheckURL("s3://key:secret@bucket/a").Error(), "secret")
}

func TestAReferenceIsToTheStoreOrElsewhereAndPinned(t *testing.T) {
	t.Parallel()
	require.NoError(t, Ref{Key: "k", SHA256: "00"}.Check())
	require.NoError(t, Ref{URL: "s3://b/k", ETag: "e"}.Check())
	require.ErrorContains(t, Ref{}.Check(), "neither a key nor a URL")
	require.ErrorContains(t, Ref{Key: "k", URL: "s3://b/k", ETag: "e"}.Check(), "a key and a URL")
	require.ErrorContains(t, Ref{URL: "s3://b/k"}.Check(), "nothing pins it")
	require.ErrorContains(t, Ref{URL: "s3://b/../k", ETag: "e"}.Check(), "..")
	require.ErrorContains(t, Ref{URL: "s3://b/k", ETag: "e", Size: -1}.Check(), "negative")
	require.ErrorContains(t, Ref{Key: "k", ETag: "e"}.Check(), "ETag")
}

func TestTheDigestOfAListTellsObjectsApartThatNobodyHasRead(t *testing.T) {
	t.Parallel()
	digest := func(ref Ref) string { return Inline([]Part{{Name: "n", Ref: &ref}}).Digest }
	at := Ref{URL: "s3://b/k", ETag: "e", Size: 1}
	changed, other := at, at
	changed.ETag, other.URL = "f", "s3://b/other"
	require.NotEqual(t, digest(at), digest(changed))
	require.NotEqual(t, digest(at), digest(other), "two objects may have one ETag by chance")
	known := Ref{URL: "file:///k", SHA256: "00", Size: 1}
	require.Equal(t, digest(Ref{Key: "sha256/00", SHA256: "00", Size: 1}), digest(known), "where known bytes lie does not matter")
}
