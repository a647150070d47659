package wire

// Headers that are of deed.
const (
	HeaderCode   = "Deed-Code"   // of a problem, where an answer has no body
	HeaderDetail = "Deed-Detail" // the same
)
