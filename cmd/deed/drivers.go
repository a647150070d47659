//go:build !nocloud

package main

// The blob stores of the clouds. Only the command links them: whoever builds a
// program of their own on deed chooses whether it needs them.
import _ "github.com/deedrun/deed/blob/cloud" // s3://, gs://, azblob://
