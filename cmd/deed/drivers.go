package main

// The blob stores of the clouds. Only the command links them: whoever builds a
// program of their own on deed chooses which they need.
import (
	_ "gocloud.dev/blob/azureblob" // azblob://
	_ "gocloud.dev/blob/gcsblob"   // gs://
	_ "gocloud.dev/blob/s3blob"    // s3://
)
