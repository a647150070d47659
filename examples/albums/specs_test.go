package albums

import (
	"testing"

	"github.com/deedrun/deed/specs/file"
)

func TestTheDefinitionsKeepWhatTheirSpecificationsPromise(t *testing.T) {
	file.Test(t, "process.spec.yaml")
	file.Test(t, "album.spec.yaml")
}
