package api_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/tlstest"
)

// notes is a log that can be read while it is written.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// sealed is a server with a certificate, and the authority that issued it.
type sealed struct {
	*rig
	authority   *tlstest.Authority
	dir         string
	certificate *api.Certificate
	listener    net.Listener
	log         *notes
}

// behindTLS serves the runtime of a rig at an address, as a role does.
func behindTLS(t *testing.T, r *rig, address string, until time.Time, names ...string) *sealed {
	t.Helper()
	s := &sealed{rig: r, authority: tlstest.New(t), dir: t.TempDir(), log: &notes{}}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	cert, key := s.authority.Issue(t, s.dir, until, names...)
	var err error
	s.certificate, err = api.LoadCertificate(cert, key, log)
	require.NoError(t, err)
	s.listener, err = api.ListenTLS(t.Context(), address, s.certificate)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() {
		served <- api.Serve(ctx, s.listener, api.New(api.Options{Runtime: r.runtime, Log: log, Hosts: s.certificate.Names}), log)
	}()
	t.Cleanup(func() { stop(); require.NoError(t, <-served) })
	return s
}

// visitor comes to a host of the server with a token.
func (s *sealed) visitor(host, token string) *client.Client {
	s.Helper()
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	require.NoError(s, err)
	c, err := client.New("https://"+net.JoinHostPort(host, port), client.Options{Token: token, Roots: s.authority.Roots()})
	require.NoError(s, err)
	s.Cleanup(c.Close)
	return c
}

// shown is the certificate that the server shows now, and the protocol it speaks.
func (s *sealed) shown() tls.ConnectionState {
	s.Helper()
	d := &tls.Dialer{Config: &tls.Config{RootCAs: s.authority.Roots(), NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}}
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	require.NoError(s, err)
	conn, err := d.DialContext(s.Context(), "tcp", net.JoinHostPort("localhost", port))
	require.NoError(s, err)
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState()
}

func nextYear() time.Time { return time.Now().Add(365 * 24 * time.Hour) }

// elsewhere is an address of this machine that other machines reach.
func elsewhere(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	t.Skip("this machine has no address that others could reach")
	return ""
}

func TestAServerWithACertificateAnswersWhoeverShowsAToken(t *testing.T) {
	r := inMemory(t, nil)
	s := behindTLS(t, r, "127.0.0.1:0", nextYear(), "localhost", "127.0.0.1")
	issued := r.office(wire.NewToken{Name: "ci", Role: wire.Viewer})
	who, err := s.visitor("localhost", issued.Text).WhoAmI(t.Context())
	require.NoError(t, err)
	require.Equal(t, "ci", who.Name)
	require.Equal(t, "h2", s.shown().NegotiatedProtocol)
	require.Equal(t, "https://"+s.listener.Addr().String(), api.URL(s.listener, s.certificate))

	_, err = s.visitor("localhost", "deed_wrong_wrong").WhoAmI(t.Context())
	require.True(t, client.IsCode(err, wire.CodeUnauthorized), "%v", err)
	_, err = s.visitor("localhost", "").WhoAmI(t.Context())
	require.NoError(t, err, "who is on this machine needs none")
}

func TestWhoComesToAnAddressThatOthersReachNeedsAToken(t *testing.T) {
	outside := elsewhere(t)
	r := inMemory(t, nil)
	s := behindTLS(t, r, "0.0.0.0:0", nextYear(), "deed.example.org", outside, "127.0.0.1")
	require.False(t, api.IsOpen(s.listener))
	require.Regexp(t, `^https://deed.example.org:\d+$`, api.URL(s.listener, s.certificate))
	_, err := s.visitor(outside, "").WhoAmI(t.Context())
	require.True(t, client.IsCode(err, wire.CodeUnauthorized), "%v", err)
	issued := r.office(wire.NewToken{Name: "ci", Role: wire.Viewer})
	who, err := s.visitor(outside, issued.Text).WhoAmI(t.Context())
	require.NoError(t, err)
	require.Equal(t, "ci", who.Name)
}

func TestOnlyTheNamesInTheCertificateAreAnsweredFor(t *testing.T) {
	r := inMemory(t, nil)
	s := behindTLS(t, r, "127.0.0.1:0", nextYear(), "deed.example.org", "*.team.example.org", "192.0.2.7")
	for host, answers := range map[string]bool{
		"deed.example.org": true, "DEED.example.org:443": true, "deed.example.org.": true, "a.team.example.org": true, "192.0.2.7:8420": true, "127.0.0.1": true,
		"evil.example.org": false, "a.b.team.example.org": false, "team.example.org": false, "192.0.2.8": false, "": false, ":8420": false,
	} {
		require.Equal(t, answers, host == "127.0.0.1" || s.certificate.Names(host), host)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.listener.Addr().String()+"/v1/whoami", http.NoBody)
		require.NoError(t, err)
		req.Host = host
		if host == "" || host == ":8420" {
			continue // net/http does not send such
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.authority.Roots(), ServerName: "deed.example.org", MinVersion: tls.VersionTLS12}}}
		resp, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		client.CloseIdleConnections()
		require.Equal(t, answers, resp.StatusCode == http.StatusOK, "%s: %s", host, resp.Status)
	}
}

func TestACertificateIsReplacedWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	s := behindTLS(t, inMemory(t, nil), "127.0.0.1:0", nextYear(), "localhost")
	first := s.shown().PeerCertificates[0].SerialNumber
	cert, key := s.authority.Issue(t, s.dir, nextYear().Add(time.Hour), "localhost", "new.example.org")
	require.Eventually(t, func() bool { return s.shown().PeerCertificates[0].SerialNumber.Cmp(first) != 0 }, patience, 50*time.Millisecond)
	require.True(t, s.certificate.Names("new.example.org"))
	require.WithinDuration(t, nextYear().Add(time.Hour), s.certificate.Expires(), time.Minute)

	// One half is new, the other is not yet: the last good pair stays.
	second := s.shown().PeerCertificates[0].SerialNumber
	old, err := os.ReadFile(key)
	require.NoError(t, err)
	s.authority.Issue(t, s.dir, nextYear(), "localhost")
	good, err := os.ReadFile(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(key, old, 0o600))
	require.Eventually(t, func() bool { s.shown(); return strings.Contains(s.log.String(), "cannot be used") }, patience, 50*time.Millisecond)
	require.Equal(t, second, s.shown().PeerCertificates[0].SerialNumber)
	require.NoError(t, os.WriteFile(key, good, 0o600))
	require.Eventually(t, func() bool { return s.shown().PeerCertificates[0].SerialNumber.Cmp(second) != 0 }, patience, 50*time.Millisecond)

	third := s.shown().PeerCertificates[0].SerialNumber
	require.NoError(t, os.Remove(cert))
	require.Eventually(t, func() bool { s.shown(); return strings.Contains(s.log.String(), "no such file") }, patience, 50*time.Millisecond)
	require.Equal(t, third, s.shown().PeerCertificates[0].SerialNumber)
	require.Equal(t, 2, strings.Count(s.log.String(), "level=ERROR"), s.log.String())
}

func TestACertificateThatCannotBeUsedIsRefusedWithTheReason(t *testing.T) {
	authority, dir := tlstest.New(t), t.TempDir()
	cert, key := authority.Issue(t, dir, nextYear(), "localhost")
	_, otherKey := authority.Issue(t, t.TempDir(), nextYear(), "localhost")
	nameless, namelessKey := authority.Issue(t, t.TempDir(), nextYear())
	for name, c := range map[string]struct{ cert, key, says string }{
		"is not there":      {cert + "x", key, "no such file"},
		"has another key":   {cert, otherKey, "private key does not match"},
		"is a key":          {key, key, "certificate"},
		"names no host":     {nameless, namelessKey, "names no host (subjectAltName)"},
		"has no key at all": {cert, cert, "key"},
	} {
		_, err := api.LoadCertificate(c.cert, c.key, slog.New(slog.DiscardHandler))
		require.ErrorAs(t, err, new(*api.AddressError), name)
		require.ErrorContains(t, err, c.says, name)
	}
}

func TestACertificateThatHasExpiredOrIsAboutToIsSaidToBe(t *testing.T) {
	for says, until := range map[string]time.Time{"has expired": time.Now().Add(-time.Minute), "expires soon": time.Now().Add(24 * time.Hour)} {
		cert, key := tlstest.New(t).Issue(t, t.TempDir(), until, "localhost")
		log := &notes{}
		_, err := api.LoadCertificate(cert, key, slog.New(slog.NewTextHandler(log, nil)))
		require.NoError(t, err, "the role has more to do than to answer")
		require.Contains(t, log.String(), says)
	}
}

func TestOnlyCurrentVersionsOfTLSAreSpoken(t *testing.T) {
	s := behindTLS(t, inMemory(t, nil), "127.0.0.1:0", nextYear(), "localhost")
	d := &tls.Dialer{Config: &tls.Config{RootCAs: s.authority.Roots(), ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}}
	_, err := d.DialContext(t.Context(), "tcp", s.listener.Addr().String())
	require.ErrorContains(t, err, "protocol version")
}

func TestAClientSaysWhatIsWrongWithAnAddress(t *testing.T) {
	r := inMemory(t, nil)
	s := behindTLS(t, r, "127.0.0.1:0", nextYear(), "localhost")
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	require.NoError(t, err)
	for address, c := range map[string]struct {
		options client.Options
		says    string
	}{
		"https://localhost:" + port:                 {client.Options{}, "unknown authority"},
		"https://127.0.0.1:" + port:                 {client.Options{Roots: s.authority.Roots()}, "127.0.0.1"},
		"http://localhost:" + port:                  {client.Options{}, "speaks https, not http"},
		"https" + strings.TrimPrefix(r.url, "http"): {client.Options{}, "speaks http, not https"},
	} {
		c2, err := client.New(address, c.options)
		require.NoError(t, err)
		t.Cleanup(c2.Close)
		_, err = c2.Version(t.Context())
		require.ErrorAs(t, err, new(*client.HandshakeError), address)
		require.ErrorContains(t, err, c.says, address)
		require.ErrorContains(t, err, address)
	}
}
