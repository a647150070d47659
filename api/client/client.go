// Package client speaks to the API of a deed server over HTTP: submit, read,
// watch and supervise processes, fold their histories, read and store blobs.
//
// Beside the resources there are the three seams that everything else in deed is
// built on, so that what works in the process of a server works from afar:
// [Client.Events] is a driver of the event store, to read and follow;
// [Client.Bucket] is the blob store; Send and Look are the ways to the
// orchestrator.
//
// A token is shown only where nobody on the way can read it; a server that is
// named otherwise is an *[InsecureError], one that is not what it is taken for a
// *[HandshakeError].
//
// A server that cannot be reached is an *[UnreachableError], which is also
// events.ErrUnavailable and queue.ErrUnavailable: whatever was asked may be asked
// again. What a server refuses comes as the errors that it has itself, such as
// *orchestrator.AnswerError, and else as a *wire.Problem.
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/tracing"
)

// Options are how to speak to a server.
type Options struct {
	// HTTP is what carries requests; nil: a client of its own.
	HTTP *http.Client

	// Token is shown with every request; empty: none is. It is never sent without
	// TLS to another machine.
	Token string

	// Roots are the authorities whose certificates of servers are believed; nil:
	// those of the machine. It belongs to a client of its own.
	Roots *x509.CertPool

	// Silence is how long a stream may be silent until the server counts as
	// gone; it says every ten seconds that it is there. 0: 45 s.
	Silence time.Duration
}

// Client speaks to one server. It is safe for many goroutines.
type Client struct {
	base    *url.URL
	http    *http.Client
	token   string
	silence time.Duration
	own     bool // http is ours to close
}

// New is a client of the server at an address such as http://127.0.0.1:8420.
// Nothing is sent yet.
func New(address string, o Options) (*Client, error) {
	base, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("address of a deed server: %w", err)
	case base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return nil, fmt.Errorf("address of a deed server %q: write it as http://HOST:PORT", address)
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("address of a deed server %q: it takes no user, no parameters and no fragment", base.Redacted())
	case o.Token != "" && base.Scheme == "http" && !isLoopback(base.Hostname()):
		return nil, &InsecureError{base.String()}
	case strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, errors.New("the token for a deed server has signs that no token has, such as spaces or line ends")
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	c := &Client{base: base, http: o.HTTP, token: o.Token, silence: cmp.Or(o.Silence, 45*time.Second)}
	if c.http == nil {
		c.own = true
		c.http = &http.Client{
			Transport: &http.Transport{
				Proxy:                 http.ProxyFromEnvironment,
				DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
				TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
				TLSHandshakeTimeout:   5 * time.Second,
				ExpectContinueTimeout: time.Second,
				IdleConnTimeout:       time.Minute,
				MaxIdleConnsPerHost:   16,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return c, nil
}

// isLoopback reports whether a host is this machine, so that nobody is on the way.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// URL is the address of the server.
func (c *Client) URL() string { return c.base.String() }

// Close lets go of idle connections.
func (c *Client) Close() {
	if c.own {
		c.http.CloseIdleConnections()
	}
}

// request is one to be sent.
type request struct {
	method string
	path   []string // segments, unescaped
	query  url.Values
	header http.Header
	body   io.Reader
	typ    string // of the body
}

// send returns an answer of success; its body is the caller's to close.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	target := *c.base
	for _, segment := range r.path {
		target.RawPath = cmp.Or(target.RawPath, target.EscapedPath()) + "/" + url.PathEscape(segment)
		target.Path += "/" + segment
	}
	target.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, target.String(), r.body)
	if err != nil {
		return nil, fmt.Errorf("ask the deed server: %w", err)
	}
	if r.header != nil {
		req.Header = r.header
	}
	if r.typ != "" {
		req.Header.Set("Content-Type", r.typ)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if trace := tracing.From(ctx); trace != "" {
		req.Header.Set(tracing.Header, trace)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, problem(c.URL(), resp)
}

// call sends JSON, if there is some, and reads the answer into a value, if one is given.
func (c *Client) call(ctx context.Context, r request, body, into any) error {
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("ask the deed server: %w", err)
		}
		r.body, r.typ = bytes.NewReader(encoded), "application/json"
	} else if r.method == http.MethodPost && r.body == nil {
		r.typ = "application/json"
	}
	resp, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	switch {
	case err != nil:
		return c.unreachable(ctx, err)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("the answer of %s cannot be read: %w: is it a deed server, and not of a much older version?", c.URL(), err)
	}
	return nil
}

// mostAnswer is how much is read of an answer that is read whole.
const mostAnswer = 256 << 20

func (c *Client) get(ctx context.Context, into any, query url.Values, path ...string) error {
	return c.call(ctx, request{method: http.MethodGet, path: path, query: query}, nil, into)
}

func (c *Client) post(ctx context.Context, body, into any, path ...string) error {
	return c.call(ctx, request{method: http.MethodPost, path: path}, body, into)
}

// problem reads why a request was not granted.
func problem(server string, resp *http.Response) error {
	p := &wire.Problem{}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if resp.Request != nil && resp.Request.Method == http.MethodHead {
		p.Code = resp.Header.Get(wire.HeaderCode) // the only place for it
		p.Detail = cmp.Or(resp.Header.Get(wire.HeaderDetail), resp.Status)
	} else if err == nil {
		err = json.Unmarshal(data, p)
	}
	if err != nil || p.Code == "" {
		if resp.StatusCode == http.StatusBadRequest && bytes.Contains(data, []byte("HTTPS server")) {
			return &HandshakeError{Server: server, Err: errors.New("it speaks https, not http")}
		}
		if resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusGatewayTimeout {
			return &UnreachableError{Server: server, Err: errors.New(resp.Status)} // of a proxy before it
		}
		return &wire.Problem{
			Status: resp.StatusCode, Title: resp.Status, Code: wire.CodeInternal,
			Detail: fmt.Sprintf("%s answered %s, and not as a deed server does: is that the right address?", server, resp.Status),
		}
	}
	p.Status = resp.StatusCode
	return meaning(server, p)
}
