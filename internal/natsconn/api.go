package natsconn

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// ownAPI begins the subjects of requests to the JetStream of a user's own account.
	ownAPI = "$JS.API"

	// ImportedAPI begins those to the JetStream of deed's account, as far as an
	// account without one imports them. They cannot have their own names there: the
	// server answers those itself, and says that there is no JetStream.
	ImportedAPI = "deed.js"
)

// APIs are the ways to JetStream that the user of a connection may have, the
// likely one first.
func APIs(nc *nats.Conn) []string {
	if nc.Opts.InboxPrefix == "" { // without credentials there is one account
		return []string{ownAPI}
	}
	return []string{ImportedAPI, ownAPI}
}

// JetStream is the way to JetStream that the user of a connection has: of those
// that it may have, the one that answers.
func JetStream(ctx context.Context, nc *nats.Conn) (jetstream.JetStream, error) {
	var first error
	for _, api := range APIs(nc) {
		js, err := jetstream.NewWithAPIPrefix(nc, api)
		if err != nil {
			return nil, err
		}
		call, cancel := Call(ctx, nc, apiWithin)
		_, err = js.AccountInfo(call)
		err = Cause(ctx, call, err)
		cancel()
		if err == nil {
			return js, nil
		}
		if first == nil || !errors.Is(err, nats.ErrPermissionViolation) {
			first = err // that this user has no other way is no news
		}
	}
	return nil, first
}

// apiWithin bounds how long JetStream may take to say that it is there.
const apiWithin = 5 * time.Second
