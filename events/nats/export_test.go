package nats

// AskLeader makes the driver read as it does from a replicated log.
func (d *Driver) AskLeader() { d.replicated = true }
