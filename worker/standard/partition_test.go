package standard

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestRecordsGoWhereTheirColumnSays(t *testing.T) {
	parts := []Part{file("a.csv", "host,n\nb,1\na,2\nb,3\n"), file("b.csv", "host,n\na,4\n\"c,d\",5\n,6\n")}
	for _, memory := range []string{"64MiB", "1B"} {
		all := done(t, "deed/partition", parts, "records=csv", "header=true", "by=host", "memory="+memory)
		require.Equal(t, []written{
			{"", "a.csv", "host,n\n,6\n", true},
			{"a", "a.csv", "host,n\na,2\na,4\n", true},
			{"b", "a.csv", "host,n\nb,1\nb,3\n", true},
			{"c,d", "a.csv", "host,n\n\"c,d\",5\n", true},
		}, all)
	}
}

func TestRecordsOfJSONLinesGoWhereTheirMemberSays(t *testing.T) {
	all := done(t, "deed/partition", []Part{file("a", "{\"k\":\"ü\"}\n{\"k\":7}\n{}\n")}, "records=json-lines", "by=k")
	require.Equal(t, []string{"", "7", "ü"}, []string{all[0].key, all[1].key, all[2].key})
}

func TestNoRecordsGoNowhere(t *testing.T) {
	require.Empty(t, done(t, "deed/partition", []Part{file("a", "host\n")}, "records=csv", "header=true", "by=host"))
}

func TestValuesShareABucketAsKeysOfAFanOutDo(t *testing.T) {
	const into = 12
	all := done(t, "deed/partition", []Part{file("a", shuffled(1_000))}, "by=1", fmt.Sprint("into=", into))
	require.Len(t, all, into)
	lines := 0
	for _, w := range all {
		require.Len(t, w.key, 2, "keys sort as their numbers do")
		for line := range strings.Lines(w.text) {
			require.Equal(t, w.key, fmt.Sprintf("%02d", task.Bucket(strings.TrimSpace(line), into)))
			lines++
		}
	}
	require.Equal(t, 1_000, lines)
	require.True(t, slices.IsSortedFunc(all, func(a, b written) int { return strings.Compare(a.key, b.key) }))
}

func TestWhatIsNoKeyIsNamed(t *testing.T) {
	require.Equal(t, `a:2: "\xff" is no key, which is text of at most 1024 bytes: say into, and keys are numbers`,
		refused(t, "deed/partition", []Part{file("a", "x\n\xff\n")}, "by=1"))
	require.Contains(t, refused(t, "deed/partition", []Part{file("a", strings.Repeat("x", 1025)+"\n")}, "by=1"), "a:1: ")
	require.Len(t, done(t, "deed/partition", []Part{file("a", "x\n\xff\n")}, "by=1", "into=1"), 1)
}

func TestMoreValuesThanAFanOutMayHaveKeysAreRefused(t *testing.T) {
	require.Len(t, done(t, "deed/partition", []Part{file("a", shuffled(maxKeys))}, "by=1"), maxKeys)
	require.Equal(t, "the column has more than 10000 values: say into how many parts they go",
		refused(t, "deed/partition", []Part{file("a", shuffled(maxKeys+1))}, "by=1"))
}

func TestAPartitionIsByOneColumn(t *testing.T) {
	for _, by := range []string{"", "1,2", "1 number", "1 desc"} {
		require.Contains(t, refused(t, "deed/partition", nil, "by="+by), "the parameter by: ")
	}
}
