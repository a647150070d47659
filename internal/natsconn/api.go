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

// apisOf are the ways to JetStream that the user of a connection may have, the
// likely one first.
func apisOf(nc *nats.Conn) []string {
	if nc.Opts.InboxPrefix == "" { // without credentials there is one account
		return []string{ownAPI}
	}
	return []string{ImportedAPI, ownAPI}
}

// ByAPI does something by the way to JetStream that the user of a connection has.
// By one that he has not nobody answers, or he may not ask.
func ByAPI(nc *nats.Conn, do func(api string) error) error {
	var first error
	for _, api := range apisOf(nc) {
		err := do(api)
		refused := errors.Is(err, nats.ErrPermissionViolation)
		if !refused && !errors.Is(err, nats.ErrNoResponders) && !errors.Is(err, jetstream.ErrJetStreamNotEnabled) {
			return err
		}
		if first == nil || !refused {
			first = err // that the user has no other way is no news
		}
	}
	return first
}

// JetStream is that of the account DEED for whoever may ask there.
func JetStream(ctx context.Context, nc *nats.Conn) (js jetstream.JetStream, err error) {
	err = ByAPI(nc, func(api string) error {
		if js, err = jetstream.NewWithAPIPrefix(nc, api); err != nil {
			return err
		}
		call, cancel := Call(ctx, nc, apiWithin)
		defer cancel()
		_, err = js.AccountInfo(call)
		return Cause(ctx, call, err)
	})
	return js, err
}

// apiWithin bounds how long JetStream may take to say that it is there.
const apiWithin = 5 * time.Second
