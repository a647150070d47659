package esdb_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events/esdb"
)

func TestNothingOfAPasswordIsSaidThoughItsCharactersEndItTooEarly(t *testing.T) {
	for address, says := range map[string]string{
		"esdb://ada:xyzzy/plugh@h:2113":             "write %2F, %3F and %23",
		"esdb://ada:xyzzy?plugh@h:2113":             "write %2F, %3F and %23",
		"esdb://ada:xyzzy#plugh@h:2113":             "write %2F, %3F and %23",
		"esdb://ada:2113/xyzzy@h:2113":              "write %2F, %3F and %23",
		"esdb://ada:2113#xyzzy@h:2113":              "write %2F, %3F and %23",
		"esdb://ada:2113?tlsCaFile=xyzzy@h:2113":    "write %2F, %3F and %23",
		"esdb+discover://ada:xyzzy/plugh@h?tls=yes": "write %2F, %3F and %23",
		"esdb://ada:%xyzzy@h:2113":                  "for the character write %25",
		"esdb://ada:xyzzy plugh@h:2113":             "invalid userinfo",
	} {
		_, err := esdb.Name(address)
		require.ErrorContains(t, err, says, address)
		for _, part := range []string{"xy", "plugh", `"ada`, "ada:2113"} {
			assert.NotContains(t, err.Error(), part, address)
		}
	}
	name, err := esdb.Name("esdb://ada:x%2Fy%3Fz%23z%25y%40@h:2113?tls=true")
	require.NoError(t, err)
	require.Equal(t, "esdb://h:2113", name)
}
