package nats

import "github.com/deedrun/deed/events"

// AskLeader makes a driver read as it does from a replicated log.
func AskLeader(d events.Driver) { d.(*driver).replicated = true }
