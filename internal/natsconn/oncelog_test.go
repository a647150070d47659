package natsconn

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsWrongWithAConnectionIsLoggedOnceUntilItIsBack(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	var l onceLog
	times := func() int { return strings.Count(said.String(), "level=WARN") }
	for port := range 3 {
		l.say(log, &net.OpError{Op: "read", Source: &net.TCPAddr{Port: port}, Err: errors.New("reset")})
	}
	require.Equal(t, 1, times(), said.String())
	l.say(log, errors.New("authorization violation"))
	require.Equal(t, 2, times(), said.String())
	l.forget()
	l.say(log, errors.New("authorization violation"))
	require.Equal(t, 3, times(), said.String())
}
