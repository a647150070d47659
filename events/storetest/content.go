package storetest

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// unchanged requires that data comes back byte for byte.
func unchanged(t *trial, texts ...string) {
	s := t.open()
	for _, text := range texts {
		t.follow(s, "a", events.Record{Type: "T", Schema: 1, Data: []byte(text)})
	}
	assert.Equal(t, texts, data(t.read(s, "a", 0)))
}

// content is what a store does not look into, and whom it belongs to.
var content = []behaviour{
	{"text of any script comes back byte for byte, with its escapes", func(t *trial) {
		unchanged(t, `"naïve 日本語 🦉 \u2028 <b>&amp;</b> \/"`, `"e\u0301 and é"`, `"\u0000\ud800"`, `""`)
	}},

	{"numbers of any size and form come back byte for byte", func(t *trial) {
		unchanged(t, `12345678901234567890`, `1.0`, `-0`, `1E400`, `0.1000`, `0`)
	}},

	{"objects come back byte for byte, with their order, doubles and spaces", func(t *trial) {
		unchanged(t, `{"b":1,"a":2,"a":3}`, `{ "spaced" : [ 1 , 2 ] }`, "[\n\t1\n]", `null`)
	}},

	{"a type, a schema number and a commit ID may be anything", func(t *trial) {
		s := t.open()
		kinds := []events.Record{
			{Type: `Ty"pe\ é <x> 🦉`, Schema: -1, Data: []byte("1")},
			{Type: strings.Repeat("é", 128), Schema: 1 << 40, Data: []byte("2")},
			{Type: "$>.*", Schema: 0, Data: []byte("3")},
		}
		ids := []string{`commit "ü" \ 1`, strings.Repeat("日", 85), "\u2028\x00 "}
		for i, r := range kinds {
			t.put(s, "a", events.Exactly(uint64(i)), ids[i], r)
		}
		list := t.read(s, "a", 0)
		require.Len(t, list, len(kinds))
		for i, e := range list {
			assert.Equal(t, kinds[i], e.Record)
			assert.Equal(t, ids[i], e.Commit)
		}
	}},

	{"what a writer does to its slices afterwards changes nothing stored", func(t *trial) {
		s := t.open()
		mine := numbered(1, 2)
		t.put(s, "a", events.NoStream(), "c1", mine...)
		mine[0].Data[1], mine[1] = 'X', record("other")
		assert.Equal(t, numbers(1, 2), data(t.read(s, "a", 0)))
	}},

	{"what a reader does to what it got changes nothing stored", func(t *trial) {
		s := t.open()
		t.put(s, "a", events.NoStream(), "c1", numbered(1, 2)...)
		for _, e := range t.read(s, "a", 0) {
			e.Data[1] = 'Y'
		}
		assert.Equal(t, numbers(1, 2), data(t.read(s, "a", 0)))
	}},

	{"what a subscriber does to what it got no other subscriber sees", func(t *trial) {
		s := t.open()
		one, two := t.subscribe(s, "", 0), t.subscribe(s, "", 0)
		t.put(s, "a", events.NoStream(), "c1", numbered(1, 2)...)
		c := t.take(one, 1)[0]
		c.Events[0].Data[1], c.Events[1] = 'Z', record("other")
		for i, r := range t.take(two, 1)[0].Events {
			assert.Equal(t, fmt.Sprintf(`{"n":%d}`, i+1), string(r.Data))
		}
	}},
}
