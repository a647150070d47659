package main

import (
	"net"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/deedrun/deed/internal/tlstest"
)

// certificate is a command of the scripts. `certificate DIR NAME…` writes a
// certificate for names and addresses and its key into cert.pem and key.pem of a
// folder, and its authority, a new one, into ca.pem.
func certificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: certificate DIR NAME…")
	}
	t, dir := scriptT{ts}, ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o777))
	authority := tlstest.New(t)
	authority.File(t, dir)
	authority.Issue(t, dir, time.Now().Add(30*24*time.Hour), args[1:]...)
}

// scriptT fails a script where a test would fail.
type scriptT struct{ *testscript.TestScript }

func (s scriptT) Errorf(format string, args ...any) { s.Fatalf(format, args...) }
func (scriptT) FailNow()                            {}
func (scriptT) Helper()                             {}

// outsideAddress is one of this machine that other machines could reach; empty:
// it has none.
func outsideAddress() string {
	all, _ := net.InterfaceAddrs() // without it there is none
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	return ""
}
