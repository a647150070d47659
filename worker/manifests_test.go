package worker

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

func TestTasksThatOpenAListAtTheSameTimeShareOneReader(t *testing.T) {
	blobs, err := blob.Open(t.Context(), "mem://")
	require.NoError(t, err)
	t.Cleanup(func() { _ = blobs.Close() })
	parts := make([]task.Part, 10_000)
	for i := range parts {
		parts[i] = task.Part{Value: json.RawMessage(fmt.Sprint(i))}
	}
	data, err := blobs.Dataset(t.Context(), "inputs", parts)
	require.NoError(t, err)
	require.NotNil(t, data.Manifest)

	m := manifests{blobs: blobs}
	begin, tasks := make(chan struct{}), sync.WaitGroup{}
	for range 64 {
		tasks.Go(func() {
			<-begin
			if _, err := m.open(t.Context(), *data.Manifest); err != nil {
				t.Error(err)
			}
		})
	}
	close(begin)
	tasks.Wait()
	require.Len(t, m.kept, 1)
}
