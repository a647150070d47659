package wordcount

import "github.com/deedrun/deed/task"

// Result is what a count of words wrote, so that two can be compared: what they
// have in common is every byte, of the lists in between too.
type Result struct {
	SHA256 string `json:"sha256"` // of the sorted counts
	Bytes  int64  `json:"bytes"`
	Texts  Data   `json:"texts"`
	Lists  Data   `json:"lists"` // by text and bucket
	Sums   Data   `json:"sums"`  // by bucket
}

// Data is a list of parts in short.
type Data struct {
	Parts  int    `json:"parts"`
	Bytes  int64  `json:"bytes"`
	Digest string `json:"digest"` // of keys, names, sizes and contents, in order
}

func data(d task.Dataset) Data { return Data{Parts: d.Count, Bytes: d.Bytes, Digest: d.Digest} }
