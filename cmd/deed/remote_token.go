package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
)

// tokenVariable holds a token itself. No flag does: others can see command lines.
const tokenVariable = "DEED_TOKEN"

// lock is what opens a server, and how it is known.
type lock struct{ tokenFile, caFile string }

func (a *app) lockFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.lock.tokenFile, "token-file", "", "`FILE` with the token to show to --server (default: the token in "+tokenVariable+")")
	cmd.Flags().StringVar(&a.lock.caFile, "ca-file", "", "`FILE` with the authority of the certificate of --server (PEM), if it is one of your own")
}

// lockFlagNames are those that go with a server, and come from the environment
// and from a context as it does.
var lockFlagNames = []string{"token-file", "ca-file"}

// checkLock refuses two tokens that were said alike, and what has no server to
// be shown to.
func (a *app) checkLock() error {
	for _, name := range lockFlagNames {
		if a.server == "" && a.source[name] == fromLine {
			return usagef("--%s belongs to --server; a folder asks for no token", name)
		}
	}
	if os.Getenv(tokenVariable) != "" && a.source["token-file"] == variableOf("token-file") {
		return usagef("%s and %s: each is a token; give one", tokenVariable, variableOf("token-file"))
	}
	return nil
}

// clientOptions are how to speak to the server. A flag counts before the
// environment, and that before a context.
func (a *app) clientOptions() (client.Options, error) {
	var o client.Options
	if file := a.lock.caFile; file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return o, usagef("--ca-file: %w", err)
		}
		o.Roots = x509.NewCertPool()
		if !o.Roots.AppendCertsFromPEM(pem) {
			return o, usagef("--ca-file %s holds no certificate: it is a text that begins with -----BEGIN CERTIFICATE-----", file)
		}
	}
	o.Token = strings.TrimSpace(os.Getenv(tokenVariable)) // as in a file, a line end is none of it
	if strings.ContainsAny(o.Token, " \t\r\n") {
		return o, usagef("%s has more than a token in it: give the token alone, without Bearer", tokenVariable)
	}
	if a.lock.tokenFile != "" && (o.Token == "" || a.source["token-file"] == fromLine) {
		token, err := access.ReadFile(a.lock.tokenFile)
		if err != nil {
			return o, &usageError{err}
		}
		o.Token = token
	}
	return o, nil
}

// remedy is what to do about an error of a server, as far as the error, which is
// the same for all who ask, does not say it.
func (a *app) remedy(err error) string {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case a.server != "" && errors.As(err, &unknown):
		return "\nif it is of an authority of your own, name that one's file by --ca-file, or in a context"
	case a.server != "" && errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "\nif the clock of this machine is right, the server needs a new certificate: `deed doctor` says how long one is good"
	case a.server == "" || !client.IsCode(err, wire.CodeUnauthorized):
		return ""
	case os.Getenv(tokenVariable) == "" && a.lock.tokenFile == "":
		return fmt.Sprintf("\nput a token into %s, or its file into --token-file or a context; an admin issues one by `deed auth token create`", tokenVariable)
	}
	return "\nask an admin for a new token, by `deed auth token create`"
}
