package process

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

// How an event gets another form, from beginning to end, for an event that does
// not exist: a step that is put off. docs/event-evolution.md has the rules.
//
// Schema 1 counted seconds, and said who and why in one text. Schema 2 has a
// duration and two texts. The type is that of today; nobody needs the one of then.
type stepPutOff struct {
	Address string        `json:"address"`
	For     task.Duration `json:"for"`
	By      string        `json:"by,omitempty"`
	Reason  string        `json:"reason,omitempty"`
	Note    string        `json:"note,omitempty"` // added to schema 2 without a new number: for people only
}

func (stepPutOff) event() {}

func (e stepPutOff) String() string { return fmt.Sprintf("%s put off for %s", e.Address, e.For) }

// putOffTo2 works on the data, never on types of Go: those will change again,
// and what schema 1 meant will not. What was never recorded it leaves out.
func putOffTo2(data []byte) ([]byte, error) {
	var was struct {
		Address string `json:"address"`
		Seconds int64  `json:"seconds"`
		Who     string `json:"who"`
	}
	if err := json.Unmarshal(data, &was); err != nil {
		return nil, err
	}
	by, reason, _ := strings.Cut(was.Who, ": ")
	return json.Marshal(map[string]any{
		"address": was.Address, "for": (time.Duration(was.Seconds) * time.Second).String(), "by": by, "reason": reason,
	})
}

// putOffCodec is the codec of a version of deed that knows the event up to a schema.
func putOffCodec(schema int) *codec {
	c := newCodec()
	if schema == 1 {
		c.add(stored[stepPutOff]("step-put-off", 1, nil))
	} else {
		c.add(stored[stepPutOff]("step-put-off", 2, map[int]upcaster{1: putOffTo2}))
	}
	return c
}

var (
	putOff1 = Stored{Type: "step-put-off", Schema: 1, Data: []byte(`{"address":"count","seconds":90,"who":"ada: the disk is full"}`)}
	putOff2 = stepPutOff{Address: "count", For: task.Duration(90 * time.Second), By: "ada", Reason: "the disk is full"}
)

func TestAnUpcasterReadsWhatAnOlderVersionStoredAsAnEventOfToday(t *testing.T) {
	e, err := putOffCodec(2).decode(putOff1)
	require.NoError(t, err)
	require.Equal(t, putOff2, e)
}

func TestWhatIsStoredTodayHasTheNewSchemaAndIsReadWithoutTheUpcaster(t *testing.T) {
	s, err := putOffCodec(2).encode(putOff2)
	require.NoError(t, err)
	require.Equal(t, Stored{Type: "step-put-off", Schema: 2, Data: []byte(`{"address":"count","for":"1m30s","by":"ada","reason":"the disk is full"}`)}, s)
	e, err := putOffCodec(2).decode(s)
	require.NoError(t, err)
	require.Equal(t, putOff2, e)
}

func TestAnOlderVersionRefusesTheNewSchemaInsteadOfReadingHalfOfIt(t *testing.T) {
	s, err := putOffCodec(2).encode(putOff2)
	require.NoError(t, err)
	_, err = putOffCodec(1).decode(s)
	require.ErrorContains(t, err, "its schema is 2, this version of deed knows up to 1: a newer one wrote it; use that version")
	_, err = newCodec().decode(s)
	require.ErrorContains(t, err, `does not know type "step-put-off": a newer one wrote it; use that version`)
}

func TestAnOptionalFieldNeedsNoNewSchemaAndAnOlderVersionDoesNotSeeIt(t *testing.T) {
	e, err := putOffCodec(2).decode(Stored{Type: "step-put-off", Schema: 2, Data: []byte(`{"address":"count","for":"1m30s","by":"ada","reason":"the disk is full"}`)})
	require.NoError(t, err)
	require.Empty(t, e.(stepPutOff).Note, "stored before there was such a field")
	e, err = putOffCodec(2).decode(Stored{Type: "step-put-off", Schema: 2, Data: []byte(`{"address":"count","for":"1s","of a later version":true}`)})
	require.NoError(t, err)
	require.Equal(t, stepPutOff{Address: "count", For: task.Duration(time.Second)}, e)
}

func TestDataThatAnUpcasterCannotReadIsAnErrorThatNamesTheEventAndItsSchema(t *testing.T) {
	_, err := putOffCodec(2).decode(Stored{Type: "step-put-off", Schema: 1, Data: []byte(`{"seconds":"ninety"}`)})
	require.ErrorContains(t, err, "decode event step-put-off: raise schema 1: ")
}
