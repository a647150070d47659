package main

import (
	"net/url"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/deedrun/deed/internal/esdbtest"
)

// esdbKey is where a script keeps its double of EventStoreDB.
type esdbKey struct{}

// eventStoreDB is a command of the scripts. `esdb start` starts a double of
// EventStoreDB and sets $ESDB to its URL, $ESDBNAME to what deed calls it;
// `esdb start USER PASSWORD` one that wants these, $ESDBWRONG being its URL with
// another password. `esdb stop` and `esdb restart` are about the last one.
func eventStoreDB(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: esdb start [USER PASSWORD] | stop | restart")
	}
	server, _ := ts.Value(esdbKey{}).(**esdbtest.Server)
	switch args[0] {
	case "stop":
		(*server).Stop()
	case "restart":
		ts.Check((*server).Restart())
	case "start":
		var o esdbtest.Options
		if len(args) == 3 {
			o = esdbtest.Options{TLSDir: ts.MkAbs("."), User: args[1], Password: args[2]}
		}
		s, err := esdbtest.Start(o)
		ts.Check(err)
		ts.Defer(s.Stop)
		*server = s
		ts.Setenv("ESDB", s.URL())
		ts.Setenv("ESDBNAME", "esdb://"+s.Address())
		if len(args) == 3 {
			wrong, err := url.Parse(s.URL())
			ts.Check(err)
			wrong.User = url.UserPassword(args[1], "not-"+args[2])
			ts.Setenv("ESDBWRONG", wrong.String())
		}
	default:
		ts.Fatalf("esdb %s: there is no such thing", args[0])
	}
}
