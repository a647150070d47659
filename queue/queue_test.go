package queue_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

func TestNames(t *testing.T) {
	t.Run("a key is 1 to 64 of a-z, 0-9 and dashes", func(t *testing.T) {
		for _, key := range []string{"a", "0", "-", "word-count-7f", strings.Repeat("z", 64)} {
			assert.NoError(t, queue.CheckKey(key), "key %q", key)
		}
		for _, key := range []string{"", "A", "a.b", "*", "a\n", "\xff", strings.Repeat("z", 65)} {
			assert.Error(t, queue.CheckKey(key), "key %q", key)
		}
	})

	t.Run("an error about a name shows no more than its beginning", func(t *testing.T) {
		long := strings.Repeat("A", 1<<20)
		assert.Less(t, len(queue.CheckKey(long).Error()), 200)
		assert.Less(t, len(queue.CheckTopic(long).Error()), 300)
	})

	t.Run("a topic is names separated by dots", func(t *testing.T) {
		for _, topic := range []string{"a", "cancel.p-1", "a.b.c"} {
			assert.NoError(t, queue.CheckTopic(topic), "topic %q", topic)
		}
		for _, topic := range []string{"", ".", "a.", ".a", "a..b", "a.*", "A", strings.Repeat("a", 201)} {
			assert.Error(t, queue.CheckTopic(topic), "topic %q", topic)
		}
	})
}

func TestMailbox(t *testing.T) {
	t.Run("when it is full the oldest makes room", func(t *testing.T) {
		m := queue.NewMailbox(2)
		for _, s := range []string{"1", "2", "3"} {
			m.Put([]byte(s))
		}
		assert.Equal(t, "2", string(<-m.C()))
		assert.Equal(t, "3", string(<-m.C()))
	})

	t.Run("what it holds can be read after it was closed; more does not come in", func(t *testing.T) {
		m := queue.NewMailbox(2)
		m.Put([]byte("1"))
		m.Close()
		m.Close()
		m.Put([]byte("2"))
		assert.Equal(t, "1", string(<-m.C()))
		_, open := <-m.C()
		assert.False(t, open)
	})

	t.Run("many may put and read while it is closed", func(t *testing.T) {
		m := queue.NewMailbox(0)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 1000 {
					m.Put([]byte("x"))
				}
			})
			group.Go(func() {
				for s := range m.C() {
					if len(s) != 1 {
						require.Fail(t, "a broken signal")
					}
				}
			})
		}
		for range 100 {
			m.Put([]byte("y"))
		}
		m.Close()
		group.Wait()
	})
}
