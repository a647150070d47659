package wire

// Streams lists streams of events.
type Streams struct {
	Streams []string `json:"streams"`
}
