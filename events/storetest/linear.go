package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"

	"github.com/deedrun/deed/events"
)

// asked is an append of one event, or a read of the version.
type asked struct {
	read     bool
	expected events.Expected
}

// answered is the version after an append, or the actual one: of a read, or of a
// conflict.
type answered struct {
	version  uint64
	conflict bool
}

// register is the version of a stream as one caller after the other would see
// it. A store whose answers to simultaneous callers fit no such order lets two
// of them believe that they were the only one.
var register = porcupine.Model{
	Init: func() any { return uint64(1) },
	Step: func(state, input, output any) (bool, any) {
		version, in, out := state.(uint64), input.(asked), output.(answered)
		want, exact := in.expected.Version()
		switch {
		case in.read:
			return out.version == version, version
		case out.conflict:
			return exact && want != version && out.version == version, version
		default:
			return (!exact || want == version) && out.version == version+1, version + 1
		}
	},
	DescribeOperation: func(input, output any) string {
		in, out := input.(asked), output.(answered)
		switch {
		case in.read:
			return fmt.Sprintf("version: %d", out.version)
		case out.conflict:
			return fmt.Sprintf("append at %v: conflict with %d", in.expected, out.version)
		}
		return fmt.Sprintf("append at %v: %d", in.expected, out.version)
	},
}

// linearizable records what several callers of several stores ask and are
// answered, and looks for an order of it that a single register would have.
func linearizable(t *trial) {
	const callers, each = 6, 14
	stores := []*events.Store{t.open(), t.open(), t.open()}
	t.put(stores[0], "a", events.NoStream(), "begin", record("begin"))
	var clock atomic.Int64 // a real one has two of them at one moment
	var mu sync.Mutex
	var history []porcupine.Operation
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			s, known := stores[caller/2], uint64(1)
			for i := range each {
				in := asked{expected: events.Exactly(known)}
				switch {
				case i%2 == 1:
					in = asked{read: true}
				case caller%3 == 2:
					in = asked{expected: events.Any()}
				}
				called := clock.Add(1)
				out, err := ask(t, s, in, fmt.Sprintf("%d-%d", caller, i))
				returned := clock.Add(1)
				if !assert.NoError(t, err) {
					return
				}
				known = out.version
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: caller, Input: in, Call: called, Output: out, Return: returned})
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if porcupine.CheckOperations(register, history) {
		return
	}
	assert.Fail(t, "no order of these explains the answers")
	for _, o := range history {
		t.Errorf("%d from %d to %d: %s", o.ClientId, o.Call, o.Return, register.DescribeOperation(o.Input, o.Output))
	}
}

func ask(t *trial, s *events.Store, in asked, id string) (answered, error) {
	if in.read {
		version, err := s.Version(t.ctx, "a")
		return answered{version: version}, err
	}
	version, err := s.Append(t.ctx, "a", in.expected, id, record(id))
	var lost *events.ConflictError
	if errors.As(err, &lost) {
		return answered{version: lost.Actual, conflict: true}, nil
	}
	return answered{version: version}, err
}
