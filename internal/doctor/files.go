package doctor

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/amount"
)

// renewBefore is how long before its end a certificate had better be replaced.
const renewBefore = 21 * 24 * time.Hour

// checkFiles looks at files that hold secrets, and at certificates.
func (p *place) checkFiles(_ context.Context, r *report) {
	for _, path := range p.Secrets {
		info, err := p.Machine.Stat(path)
		switch {
		case err != nil:
			r.add("secret-file", Fail, err.Error(), "give the file that holds it, and let this user read it")
		case anybodyMay(info.Mode()):
			r.add("secret-file", Fail, fmt.Sprintf("anybody may read %s (mode %#o)", path, info.Mode().Perm()), "`chmod 600 "+quoted(path)+"`")
		default:
			r.ok("secret-file", "%s is not for everybody", path)
		}
	}
	for _, path := range p.Certificates {
		certificates, err := readCertificates(path)
		if err != nil {
			r.add("certificate", Fail, err.Error(), "give a file of certificates in PEM, the server's own first")
			continue
		}
		Certificate(r.add, "certificate", path, certificates, p.Machine.Now())
	}
}

func readCertificates(path string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New(path + " holds no certificate in PEM")
	}
	return all, nil
}

// Certificate says how long certificates are good: as long as the first of them
// to end. There is at least one.
func Certificate(add func(check string, status wire.FindingStatus, found, fix string), check, where string, chain []*x509.Certificate, now time.Time) {
	first := chain[0]
	for _, c := range chain[1:] {
		if c.NotAfter.Before(first.NotAfter) {
			first = c
		}
	}
	left := first.NotAfter.Sub(now)
	name := first.Subject.CommonName
	if len(first.DNSNames) > 0 {
		name = strings.Join(first.DNSNames, ", ")
	}
	until := first.NotAfter.UTC().Format(time.RFC3339)
	fix := "put a new one in its place: a server of deed reads it again by itself"
	switch {
	case now.Before(first.NotBefore):
		add(check, Fail, fmt.Sprintf("the certificate of %s (%s) is not good before %s", where, name, first.NotBefore.UTC().Format(time.RFC3339)), "set the clock of this machine, or "+fix)
	case left <= 0:
		add(check, Fail, fmt.Sprintf("the certificate of %s (%s) expired on %s", where, name, until), fix)
	case left < renewBefore:
		add(check, Warn, fmt.Sprintf("the certificate of %s (%s) expires in %s, on %s", where, name, days(left), until), fix)
	default:
		add(check, OK, fmt.Sprintf("%s (%s): good for %s", where, name, days(left)), "")
	}
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return amount.Of(int(d/time.Hour), "hour")
	}
	return amount.Of(int(d/(24*time.Hour)), "day")
}

// quoted is a word as a shell reads it.
func quoted(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:@%+"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
