package wire

import "time"

// Blobs is a page of a list of blobs.
type Blobs struct {
	Blobs []Blob `json:"blobs"`
	Next  string `json:"next,omitempty" doc:"Where the next page begins; empty: this was the last."`
}

// Blob is a blob in a list, or what the keys of several have in common.
type Blob struct {
	Key      string    `json:"key"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified,omitzero"`
	Folder   bool      `json:"folder,omitempty" doc:"Key is what the keys of several blobs begin with, up to the delimiter."`
}
