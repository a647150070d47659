package deed

// NATSCredentials say who a role is for a NATS server, by files such as
// `deed auth nats` writes, and whom it believes to be that server.
type NATSCredentials struct {
	NKeyFile  string // the seed of an nkey
	CredsFile string // a user's JWT and seed, where the accounts of NATS are an operator's
	CAFile    string // certificates of who may have signed the server's; none: those that the system knows
}
