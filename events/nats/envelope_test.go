package nats

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/events"
)

func TestEnvelope(t *testing.T) {
	t.Run("its form never changes: logs hold it", func(t *testing.T) {
		c := events.Commit{ID: "c-1", First: 12, Events: []events.Record{
			{Type: "Started", Schema: 1, Data: []byte(`{"by":"me"}`)}, {Type: `Ty"pé`, Schema: 2, Data: []byte(`[ 1 ]`)},
		}}
		assert.Equal(t, `{"id":"c-1","first":12,"events":[{"type":"Started","schema":1,"data":{"by":"me"}},{"type":"Ty\"pé","schema":2,"data":[ 1 ]}]}`,
			string(encode(c)))
		got, err := decode(encode(c))
		require.NoError(t, err)
		assert.Equal(t, c, got)
	})

	t.Run("fields that a later version adds are ignored", func(t *testing.T) {
		c, err := decode([]byte(`{"v":2,"id":"c","first":0,"more":{},"events":[{"type":"T","schema":1,"data":1,"at":"now"}]}`))
		require.NoError(t, err)
		assert.Equal(t, events.Commit{ID: "c", Events: []events.Record{{Type: "T", Schema: 1, Data: []byte("1")}}}, c)
	})

	t.Run("any commit comes back as it was", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			c := events.Commit{ID: rapid.StringN(1, 20, -1).Draw(t, "id"), First: rapid.Uint64Max(1<<60).Draw(t, "first")}
			for range rapid.IntRange(1, 5).Draw(t, "count") {
				data, err := json.Marshal(rapid.String().Draw(t, "data"))
				require.NoError(t, err)
				c.Events = append(c.Events, events.Record{Type: rapid.StringN(1, 20, -1).Draw(t, "type"), Schema: rapid.Int().Draw(t, "schema"), Data: data})
			}
			got, err := decode(encode(c))
			require.NoError(t, err)
			require.Equal(t, c, got)
		})
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":"c","first":1,"events":[{"type":"T","schema":1,"data":{}}]}`))
	f.Add([]byte(`{"id":"c","first":18446744073709551615,"events":[{"type":"T","data":1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decode(data)
		if err != nil {
			return
		}
		again, err := decode(encode(c))
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}
