package natsconn

import "github.com/nats-io/nats.go"

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
