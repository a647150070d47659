package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

// lookAgain is how often it is looked whether the files of a certificate have
// changed, while anybody connects.
const lookAgain = time.Second

// expiresSoon is from when on a certificate that has not been renewed is worth a
// warning.
const expiresSoon = 14 * 24 * time.Hour

// Certificate is that of the API, in two files. They are read anew when they
// change; a pair that cannot be used is logged, and the last good one stays.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	looked time.Time
	read   [2][]byte // what the files held last, good or not
}

// LoadCertificate reads a certificate with its chain, and its key, both in PEM.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log}
	content, err := c.content()
	if err == nil {
		err = c.take(content)
	}
	if err != nil {
		return nil, &AddressError{fmt.Sprintf("certificate %s with key %s: %v", certFile, keyFile, err)}
	}
	return c, nil
}

func (c *Certificate) content() (content [2][]byte, err error) {
	for i, path := range []string{c.certFile, c.keyFile} {
		if content[i], err = os.ReadFile(path); err != nil {
			return content, err
		}
	}
	return content, nil
}

// take takes a pair into use. The caller has mu, or is the only one.
func (c *Certificate) take(content [2][]byte) error {
	c.read, c.looked = content, time.Now()
	pair, err := tls.X509KeyPair(content[0], content[1])
	if err != nil {
		return err
	}
	if len(pair.Leaf.DNSNames)+len(pair.Leaf.IPAddresses) == 0 {
		return fmt.Errorf("it names no host (subjectAltName), so nobody can check whose it is: issue one with the names that this server is reached by")
	}
	c.pair = &pair
	switch left := time.Until(pair.Leaf.NotAfter); {
	case left < 0: // who looks after the rest of this role is not helped by its end
		c.log.Warn("api: the certificate has expired: nobody who checks it will connect; replace its files, which are read again", "file", c.certFile, "expired", pair.Leaf.NotAfter)
	case left < expiresSoon:
		c.log.Warn("api: the certificate expires soon; replace its files, which are read again", "file", c.certFile, "expires", pair.Leaf.NotAfter)
	}
	return nil
}

// current is the pair in use, after a look at the files.
func (c *Certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookAgain {
		return c.pair
	}
	c.looked = time.Now()
	content, err := c.content()
	if err == nil && bytes.Equal(content[0], c.read[0]) && bytes.Equal(content[1], c.read[1]) {
		return c.pair
	}
	had := c.read
	if err == nil {
		if err = c.take(content); err == nil {
			c.log.Info("api: the certificate was replaced", "file", c.certFile, "expires", c.pair.Leaf.NotAfter)
			return c.pair
		}
	} else if c.read = [2][]byte{}; had[0] == nil {
		return c.pair // that they cannot be read has been said
	}
	c.log.Error("api: the new certificate cannot be used, the one before stays", "cert", c.certFile, "key", c.keyFile, "error", err)
	return c.pair
}

// Expires is when the certificate in use does.
func (c *Certificate) Expires() time.Time { return c.current().Leaf.NotAfter }

// Names reports whether the certificate is for a host: a name or an address,
// with a port or without.
func (c *Certificate) Names(host string) bool {
	name := strings.TrimSuffix(nameOfHost(host), ".")
	return name != "" && c.current().Leaf.VerifyHostname(name) == nil
}

// config is for a server that shows the certificate.
func (c *Certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}
}

// ListenTLS listens on any address, such as 0.0.0.0:8420, and shows a
// certificate. Whoever comes to one that other machines can reach is asked for a
// token, whatever the options of the API say.
func ListenTLS(ctx context.Context, address string, certificate *Certificate) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, noAddress(address)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for the API: %w", err)
	}
	return tls.NewListener(listener, certificate.config()), nil
}

// URL is where others reach a listener: by an address that its certificate
// names, if it has one. Certificate nil: it has none, and speaks http.
func URL(listener net.Listener, certificate *Certificate) string {
	address := listener.Addr().String()
	if certificate == nil {
		return "http://" + address
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "https://" + address
	}
	at, _ := netip.ParseAddr(host)
	names := []string{host}
	if at.IsLoopback() {
		names = append(names, "localhost")
	}
	leaf := certificate.current().Leaf
	names = append(names, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	for _, name := range names {
		everywhere := name == host && at.IsUnspecified()
		if !everywhere && !strings.Contains(name, "*") && leaf.VerifyHostname(name) == nil {
			return "https://" + net.JoinHostPort(name, port)
		}
	}
	return "https://" + address
}
