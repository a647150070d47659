package task

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheBucketOfAKeyNeverChanges(t *testing.T) {
	// Stored histories depend on these: a change would send keys elsewhere in
	// the middle of a process.
	for key, want := range map[string]int{"": 5, "a": 4, "the": 4, "Ünïcode": 3, "greek/alpha": 0} {
		require.Equal(t, want, Bucket(key, 8), "%q", key)
	}
	for _, into := range []int{1, 2, 7, 1000} {
		require.Less(t, Bucket("any", into), into)
	}
}

func TestTheDigestOfAListIsOfItsContentAndNotOfWhereItLies(t *testing.T) {
	part := func(key, name, blob, sum string) Part {
		return Part{Key: key, Name: name, Ref: &Ref{Key: blob, Size: 3, SHA256: sum}}
	}
	digest := func(parts ...Part) string { return Inline(parts).Digest }
	here, there := part("k", "n", "here", "aa"), part("k", "n", "there", "aa")
	require.Equal(t, digest(here), digest(there))
	require.NotEqual(t, digest(here), digest(part("k", "n", "here", "bb")))
	require.NotEqual(t, digest(here), digest(part("j", "n", "here", "aa")))
	require.NotEqual(t, digest(here), digest(here, here))
	require.NotEqual(t, digest(part("a", "b", "", "")), digest(part("a b", "", "", "")))
}

func TestAnInlineListCountsItsPartsKeysAndBytes(t *testing.T) {
	d := Inline([]Part{{Key: "a", Value: json.RawMessage(`12`)}, {Key: "a", Ref: &Ref{Size: 5}}, {Key: "b"}})
	require.Equal(t, 3, d.Count)
	require.Equal(t, 2, d.Keys)
	require.Equal(t, int64(7), d.Bytes)
}

func TestATaskHasTheSameNameAtEveryAttempt(t *testing.T) {
	w := Work{Process: "p", Address: "g/s", Attempt: 1}
	require.Equal(t, "p/g/s[3]", w.At(3).Task())
	w.Attempt, w.Generation = 2, 1
	require.Equal(t, "p/g/s~1[3]", w.At(3).Task())
	require.Equal(t, "p/g/s~1[3] attempt 2", w.At(3).String())
}

func TestDurationsReadAsPeopleWriteThem(t *testing.T) {
	for d, text := range map[time.Duration]string{
		0: "0s", 30 * time.Second: "30s", 5 * time.Minute: "5m", 90 * time.Minute: "1h30m", 2 * time.Hour: "2h", 1500 * time.Millisecond: "1.5s",
		time.Hour + time.Second: "1h0m1s", 10 * time.Minute: "10m", 20 * time.Hour: "20h",
	} {
		require.Equal(t, text, Duration(d).String())
		var back Duration
		require.NoError(t, back.UnmarshalText([]byte(text)))
		require.Equal(t, Duration(d), back)
	}
	var d Duration
	require.ErrorContains(t, d.UnmarshalText([]byte("soon")), "write it like 30s, 5m or 1h30m")
}
