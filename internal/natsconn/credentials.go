package natsconn

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Credentials say who a client is, and whom it believes to be the server. The
// zero value is a client without an nkey of a server that has no certificate, or
// one of an authority that the system knows. They are files: a new nkey counts from
// the next Connect on, and a connection that comes back has the one that it had; a
// new JWT for the same user, and new certificates, count then, too.
type Credentials struct {
	NKeyFile  string // the seed of an nkey, as `deed auth nats` writes it
	CredsFile string // a user's JWT and seed, where the accounts of NATS are an operator's
	CAFile    string // certificates, as PEM, of who may have signed the server's; TLS is a must then
}

// InboxPrefix begins the subjects on which a user, named by its public nkey, gets
// answers. No other user is let listen there, so that none may have the usual one.
func InboxPrefix(public string) string { return "_INBOX_" + public }

// options are those of a connection. Its errors are about files.
func (c Credentials) options() ([]nats.Option, error) {
	var all []nats.Option
	public := ""
	var err error
	switch {
	case c.NKeyFile != "" && c.CredsFile != "":
		return nil, errors.New("an nkey and a file of credentials are two ways to say who one is: give one")
	case c.NKeyFile != "":
		var key nkeys.KeyPair
		if key, public, err = keyOf(c.NKeyFile); err != nil {
			return nil, err
		}
		// Not read again to come back: under a new key it would be another user, who
		// gets no answers where this one listens.
		all = append(all, nats.Nkey(public, key.Sign))
	case c.CredsFile != "":
		if public, err = subjectOf(c.CredsFile); err != nil {
			return nil, err
		}
		all = append(all, nats.UserCredentials(c.CredsFile))
	}
	if public != "" {
		all = append(all, nats.CustomInboxPrefix(InboxPrefix(public)))
	}
	if c.CAFile != "" {
		text, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("certificates of the NATS server's authority: %w", err)
		}
		if !x509.NewCertPool().AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("certificates of the NATS server's authority: %q holds none: it is a text that begins with -----BEGIN CERTIFICATE-----", c.CAFile)
		}
		all = append(all, nats.RootCAs(c.CAFile))
	}
	return all, nil
}

// keyOf is the key of a file with a seed. An error shows nothing of it.
func keyOf(file string) (key nkeys.KeyPair, public string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, "", fmt.Errorf("nkey: %w", err)
	}
	if key, err = nkeys.ParseDecoratedNKey(text); err != nil {
		return nil, "", fmt.Errorf("nkey %q: it is no seed of an nkey, which begins with SU", file)
	}
	public, err = key.PublicKey()
	if err != nil || !nkeys.IsValidPublicUserKey(public) {
		key.Wipe()
		return nil, "", fmt.Errorf("nkey %q: it is the seed of something else than a user, whose begins with SU", file)
	}
	return key, public, nil
}

// subjectOf is the public key of the user that a file of credentials is for. Who
// signed that is for the server to check.
func subjectOf(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("credentials: %w", err)
	}
	token, err := nkeys.ParseDecoratedJWT(text)
	parts := strings.Split(token, ".")
	var claims struct {
		Subject string `json:"sub"`
	}
	if err == nil && len(parts) == 3 {
		var body []byte
		if body, err = base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			err = json.Unmarshal(body, &claims)
		}
	}
	if err != nil || !nkeys.IsValidPublicUserKey(claims.Subject) {
		return "", fmt.Errorf("credentials %q: they hold no JWT of a user", file)
	}
	return claims.Subject, nil
}
