package load

import (
	"testing"

	"github.com/deedrun/deed/specs/file"
)

func TestTheDefinitionKeepsWhatItsSpecificationsPromise(t *testing.T) {
	file.Test(t, "process.spec.yaml")
}
