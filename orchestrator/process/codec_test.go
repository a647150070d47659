package process

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnEventOfANewerSchemaIsAClearError(t *testing.T) {
	_, err := Decode(Stored{Type: "step-started", Schema: 9, Data: []byte(`{}`)})
	require.ErrorContains(t, err, "its schema is 9, this version of deed knows up to 1: a newer one wrote it")
}

func TestAnUnknownEventIsAClearError(t *testing.T) {
	_, err := Decode(Stored{Type: "step-teleported", Schema: 1, Data: []byte(`{}`)})
	require.ErrorContains(t, err, `does not know type "step-teleported": a newer one wrote it`)
}

func TestDataThatIsNoEventIsAClearError(t *testing.T) {
	_, err := Decode(Stored{Type: "step-started", Schema: 1, Data: []byte(`{"tasks":"many"}`)})
	require.ErrorContains(t, err, "decode event step-started (schema 1)")
}

func TestAnOlderEventGoesThroughEveryUpcasterInTurn(t *testing.T) {
	c := newCodec()
	rename := func(from, to string) upcaster {
		return func(data []byte) ([]byte, error) { return bytes.ReplaceAll(data, []byte(from), []byte(to)), nil }
	}
	c.add(stored[StepStarted]("step-started", 3, map[int]upcaster{
		1: rename(`"step"`, `"node"`),
		2: rename(`"node"`, `"address"`),
	}))
	for schema, data := range map[int]string{
		1: `{"step":"count","tasks":3}`,
		2: `{"node":"count","tasks":3}`,
		3: `{"address":"count","tasks":3}`,
	} {
		e, err := c.decode(Stored{Type: "step-started", Schema: schema, Data: []byte(data)})
		require.NoError(t, err)
		require.Equal(t, StepStarted{Address: "count", Tasks: 3}, e)
	}
	_, err := c.decode(Stored{Type: "step-started", Schema: 0, Data: []byte(`{}`)})
	require.ErrorContains(t, err, "nothing reads its schema 0")
}
