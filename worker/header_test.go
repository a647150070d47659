package worker

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func FuzzAHeaderThatIsKnownReadsAsOneThatIsNot(f *testing.F) {
	work := message(handler("h"), value(`{"x":1}`))
	work.Env, work.Timeout = map[string]task.Variable{"A": {Value: "b"}}, 5
	header, err := work.Header()
	require.NoError(f, err)
	f.Add(string(header), "0-9")
	for _, rest := range []string{
		`","process":"p","address":"a","tasks":"7"}`, `","process":"p","address":"a","Tasks":null}`, `","process":"p","address":"a","tasks":""}`,
		`","process":"p","address":"a"}`, `","process":"p","address":"../a"}`, `","process":"p","address":"a","attempt":-1}`, `","process":"p","address":"a"} `,
		`","process":"p","address":"a"},`, `",`, `"}`, ``,
	} {
		f.Add(rest, "3,5-6")
		f.Add(rest, "")
	}
	f.Fuzz(func(t *testing.T, rest, tasks string) {
		var known headers
		_, _, _ = known.decode([]byte(`{"tasks":"1` + rest))
		body := []byte(`{"tasks":"` + tasks + rest)
		got, its, err := known.decode(body)

		var want task.Work
		wrong := json.Unmarshal(body, &want)
		if wrong == nil {
			wrong = check(&want)
		}
		if wrong == nil {
			wrong = checkTasks(want.Tasks)
		}
		if wrong != nil {
			require.EqualError(t, err, func() string {
				var fresh headers
				_, _, err := fresh.decode(body)
				require.Error(t, err)
				return err.Error()
			}())
			return
		}
		require.NoError(t, err)
		require.Equal(t, want.Tasks, its)
		want.Tasks = nil
		require.Equal(t, &want, got.work)
	})
}

func TestMessagesOfAStepShareTheirHeaderAndNothingOfTheirBodies(t *testing.T) {
	header, err := message(handler("h"), value(`"text"`)).Header()
	require.NoError(t, err)
	var known headers
	one := header.WithTasks(task.Span(0, 10))
	first, _, err := known.decode(one)
	require.NoError(t, err)
	clear(one)
	again, tasks, err := known.decode(header.WithTasks(task.Of(11, 13)))
	require.NoError(t, err)
	require.Same(t, first, again)
	require.Equal(t, task.Of(11, 13), tasks)
	require.JSONEq(t, `"text"`, string(again.work.Inputs[0].Lists[0][0].Value))
}

func TestOnlyTheHeadersUsedLastAreKeptAndNoneThatIsVeryLong(t *testing.T) {
	var known headers
	body := func(i, length int) []byte {
		return fmt.Appendf(nil, `{"tasks":"0","process":"p","address":"a%d","attempt":1,"run":{"shell":"%s"}}`, i, slices.Repeat([]byte("x"), length))
	}
	decode := func(i, length int) *header {
		h, _, err := known.decode(body(i, length))
		require.NoError(t, err)
		return h
	}
	first := decode(0, 1)
	for i := range 10 * headersKept {
		decode(i+1, 1)
		require.Same(t, first, decode(0, 1))
	}
	require.Len(t, known.kept, headersKept)
	require.NotSame(t, decode(0, headerBytes), decode(0, headerBytes))
}
